"""n float32 arrays of LENGTH elements from 2 worker processes, through the original's ring buffer: arrays.py LENGTH n"""

import itertools
import multiprocessing
import sys

import numpy as np
import tinypl
from clock import Clock

length, n = map(int, sys.argv[1:])
multiprocessing.set_start_method("fork")
# Room for more arrays than are ever there at once (2 that are filled, 1 that waits, 1 that is read): where there is none it
# may wait for seconds.
ring = tinypl.process.SharedMemoryRingBuffer(6 * (4 * length + 4096))


def make(x):
    return ring.write(np.full(length, x, dtype=np.float32))


def glance(array):
    first, middle, last = (int(array[at : at + 1].view(np.uint32)[0]) for at in (0, length // 2, length - 1))
    return len(array) + first + 3 * middle + 7 * last


pipe = tinypl.process.map(range(n), make, workers=2, maxsize=1)
pipe = tinypl.map(pipe, ring.read)
clock = Clock()
digest = sum(glance(array) for array in itertools.islice(pipe, n))
clock.stop()
assert next(pipe, None) is None
ring.close()
clock.report(digest)
