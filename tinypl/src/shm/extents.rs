//! Which parts of a range of bytes are free. Pure book-keeping: it touches no memory.
//!
//! Best fit: of the gaps that are large enough the smallest is taken, of several such the first; what is freed joins the
//! gaps beside it (D. E. Knuth, The Art of Computer Programming, volume 1, section 2.5). It was chosen for how little it
//! fragments (P. R. Wilson et al., Dynamic Storage Allocation: A Survey and Critical Review, 1995).
use std::collections::{BTreeMap, BTreeSet};

/// What an extent's place and size are multiples of. Whatever is stored is aligned to it.
pub(crate) const PAGE: usize = 4096;

#[derive(Debug)]
pub(crate) struct Extents {
    /// Each gap's size, by its place. No two touch.
    gaps: BTreeMap<usize, usize>,
    /// The same, as (size, place).
    by_size: BTreeSet<(usize, usize)>,
    capacity: usize,
    free: usize,
}

impl Extents {
    /// All free. `capacity` is a whole number of pages.
    pub(crate) fn new(capacity: usize) -> Self {
        debug_assert!(capacity.is_multiple_of(PAGE));
        let mut extents = Self { gaps: BTreeMap::new(), by_size: BTreeSet::new(), capacity, free: 0 };
        if capacity > 0 {
            extents.add(0, capacity);
        }
        extents
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn free(&self) -> usize {
        self.free
    }

    pub(crate) fn largest_gap(&self) -> usize {
        self.by_size.last().map_or(0, |&(size, _)| size)
    }

    /// The place of an extent that holds `bytes`; no bytes take no room.
    pub(crate) fn allocate(&mut self, bytes: usize) -> Option<usize> {
        let size = pages(bytes)?;
        if size == 0 {
            return Some(0);
        }
        let &(gap, at) = self.by_size.range((size, 0)..).next()?;
        self.remove(at, gap);
        if gap > size {
            self.add(at + size, gap - size);
        }
        Some(at)
    }

    /// Frees what [`allocate`](Self::allocate) gave for as many `bytes`.
    pub(crate) fn release(&mut self, at: usize, bytes: usize) {
        let Some(mut size @ 1..) = pages(bytes) else { return };
        let mut start = at;
        let before = self.gaps.range(..at).next_back().map(|(&at, &size)| (at, size));
        let after = self.gaps.range(at..).next().map(|(&at, &size)| (at, size));
        debug_assert!(before.is_none_or(|(gap, size)| gap + size <= at), "freed twice");
        debug_assert!(after.is_none_or(|(gap, _)| at + size <= gap), "freed twice");
        if let Some((gap, len)) = after.filter(|&(gap, _)| at + size == gap) {
            self.remove(gap, len);
            size += len;
        }
        if let Some((gap, len)) = before.filter(|&(gap, len)| gap + len == at) {
            self.remove(gap, len);
            start = gap;
            size += len;
        }
        self.add(start, size);
    }

    fn add(&mut self, at: usize, size: usize) {
        self.gaps.insert(at, size);
        self.by_size.insert((size, at));
        self.free += size;
    }

    fn remove(&mut self, at: usize, size: usize) {
        self.gaps.remove(&at);
        self.by_size.remove(&(size, at));
        self.free -= size;
    }
}

/// `bytes`, rounded up to whole pages; `None` if no number is that large.
pub(crate) fn pages(bytes: usize) -> Option<usize> {
    bytes.checked_next_multiple_of(PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::random::Random;

    /// The same, page by page.
    struct Naive(Vec<bool>);

    impl Naive {
        /// (size, place) of each gap, in pages.
        fn gaps(&self) -> Vec<(usize, usize)> {
            let mut gaps = Vec::new();
            let mut at = 0;
            for run in self.0.chunk_by(|a, b| a == b) {
                if !run[0] {
                    gaps.push((run.len(), at));
                }
                at += run.len();
            }
            gaps
        }

        fn best(&self, size: usize) -> Option<usize> {
            self.gaps().into_iter().filter(|&(gap, _)| gap >= size).min().map(|(_, at)| at)
        }

        fn mark(&mut self, at: usize, size: usize, used: bool) {
            for page in &mut self.0[at..at + size] {
                assert_ne!(*page, used, "an extent overlaps another");
                *page = used;
            }
        }
    }

    #[test]
    fn a_random_walk_beside_a_naive_model() {
        for seed in 0..20 {
            let mut random = Random::new(seed);
            let pages = random.size(200);
            let (mut extents, mut naive) = (Extents::new(pages * PAGE), Naive(vec![false; pages]));
            let mut live = Vec::new();
            for _ in 0..2000 {
                if random.below(100) < 55 {
                    let bytes = random.below(20 * PAGE as u64) as usize;
                    let size = bytes.div_ceil(PAGE);
                    let best = if size == 0 { Some(0) } else { naive.best(size) };
                    assert_eq!(extents.allocate(bytes), best.map(|at| at * PAGE));
                    if let Some(at) = best {
                        naive.mark(at, size, true);
                        live.push((at, bytes));
                    }
                } else if !live.is_empty() {
                    let (at, bytes) = live.swap_remove(random.below(live.len() as u64) as usize);
                    extents.release(at * PAGE, bytes);
                    naive.mark(at, bytes.div_ceil(PAGE), false);
                }
                let gaps = naive.gaps();
                assert_eq!(extents.free(), gaps.iter().map(|gap| gap.0).sum::<usize>() * PAGE);
                assert_eq!(extents.largest_gap(), gaps.iter().max().map_or(0, |gap| gap.0) * PAGE);
            }
            for (at, bytes) in live {
                extents.release(at * PAGE, bytes);
            }
            assert_eq!((extents.free(), extents.largest_gap()), (pages * PAGE, pages * PAGE));
        }
    }

    #[test]
    fn the_smallest_gap_that_is_large_enough() {
        let mut extents = Extents::new(10 * PAGE);
        let [a, _b, c, _d]: [usize; 4] = [3, 1, 2, 1].map(|n| extents.allocate(n * PAGE).unwrap());
        extents.release(a, 3 * PAGE);
        extents.release(c, 2 * PAGE);
        assert_eq!(extents.allocate(2 * PAGE - 1), Some(c));
        assert_eq!(extents.allocate(4 * PAGE), None);
    }

    #[test]
    fn sizes_that_no_memory_has() {
        let mut extents = Extents::new(PAGE);
        assert_eq!((extents.allocate(usize::MAX), extents.allocate(usize::MAX - PAGE)), (None, None));
        assert_eq!(extents.allocate(PAGE), Some(0));
    }
}
