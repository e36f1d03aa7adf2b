"""No work on n numbers in 2 worker processes: add_one.py imap CHUNKSIZE n | add_one.py original MAXSIZE n"""

import itertools
import multiprocessing
import sys

from clock import Clock


def add_one(x):
    return x + 1


def imap(chunksize, n):
    with multiprocessing.Pool(2) as pool:
        pool.map(add_one, range(2), chunksize=1)  # they run
        clock = Clock()
        digest = sum(pool.imap(add_one, range(n), chunksize=chunksize))
        clock.stop()
        pool.close()
        pool.join()
    clock.report(digest)


def original(maxsize, n):
    import tinypl

    pipe = tinypl.process.map(range(n), add_one, workers=2, maxsize=maxsize)  # waits until they run
    clock = Clock()
    digest = sum(itertools.islice(pipe, n))
    clock.stop()
    assert next(pipe, None) is None
    clock.report(digest)


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    which, setting, n = sys.argv[1:]
    {"imap": imap, "original": original}[which](int(setting), int(n))
