"""What a run prints for the table: digest, seconds, CPU seconds."""

import resource
import time


class Clock:
    """Runs from when the workers are there until stop()."""

    def __init__(self):
        self.start = time.perf_counter()

    def stop(self):
        self.seconds = time.perf_counter() - self.start

    def report(self, digest):
        """Call it when the workers have ended: the CPU time is all of theirs, and of this process."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = time.process_time() + children.ru_utime + children.ru_stime
        print(digest % 2**64, self.seconds, cpu)
