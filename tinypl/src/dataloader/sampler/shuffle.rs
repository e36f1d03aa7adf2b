//! `sampler::shuffle(seed)`
use super::super::rng::{Purpose, Rng, keyed};
use super::shard::epochs_and_shard;
use super::{Numbers, Sampler, Shard};
use rand::Rng as _;

/// The samples in an order drawn anew for each epoch.
///
/// It depends on the seed, the epoch's number and the size of the dataset alone: the same on every platform and in every
/// version of this crate. All orders are equally likely (Fisher–Yates, as of D. E. Knuth, *The Art of Computer Programming*,
/// volume 2, algorithm P). An epoch is drawn when its first sample is asked for, which takes 8 bytes and some nanoseconds for
/// each sample of the dataset.
///
/// Trainers with the same seed have the same order, so their shards are disjoint.
///
/// ```
/// use tinypl::dataloader::sampler;
/// use tinypl::{dataloader, pipeline};
///
/// let sampler = sampler::shuffle(42).epochs(2);
/// let mut epochs = pipeline! { dataloader::load(vec![0, 1, 2, 3, 4], batchsize = 5, sampler = sampler) };
/// let (first, second) = (epochs.next().unwrap(), epochs.next().unwrap());
/// assert_ne!(first, second);
/// let mut sorted = first;
/// sorted.sort();
/// assert_eq!(sorted, [0, 1, 2, 3, 4]);
/// ```
pub fn shuffle(seed: u64) -> Shuffle {
    Shuffle { seed, epochs: None, shard: Shard::ALL }
}

/// The sampler of [`shuffle`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a sampler does nothing until a loader has it"]
pub struct Shuffle {
    seed: u64,
    epochs: Option<u64>,
    shard: Shard,
}

impl Shuffle {
    epochs_and_shard!();
}

impl Sampler for Shuffle {
    type Epochs = ShuffleEpochs;

    fn over(self, len: usize) -> ShuffleEpochs {
        ShuffleEpochs { seed: self.seed, numbers: Numbers::until(self.epochs), len, shard: self.shard }
    }

    fn epoch_len(&self, len: usize) -> Option<usize> {
        Some(self.shard.len(len))
    }

    fn title(&self) -> &'static str {
        "load: sampler (shuffle)"
    }
}

/// The epochs of [`shuffle`].
#[derive(Clone, Debug)]
pub struct ShuffleEpochs {
    seed: u64,
    numbers: Numbers,
    len: usize,
    shard: Shard,
}

impl Iterator for ShuffleEpochs {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let epoch = self.numbers.next()?;
        let order = permutation(self.len, keyed(Purpose::Shuffle, self.seed, epoch, 0));
        if self.shard == Shard::ALL {
            return Some(order);
        }
        Some(self.shard.places(self.len).map(|place| order[place]).collect())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.numbers.size_hint()
    }
}

/// The numbers below `len` in an order that `rng` draws. Not by `rand`, whose draws may change from one version to the next.
fn permutation(len: usize, mut rng: Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    for last in (1..len).rev() {
        order.swap(last, below(last + 1, &mut rng));
    }
    order
}

/// A number below `end`, each as likely as the others: the upper half of a product with 64 random bits, unless the lower half
/// shows that some numbers would come too often (D. Lemire, *Fast Random Integer Generation in an Interval*, 2019).
fn below(end: usize, rng: &mut Rng) -> usize {
    let end = end as u64;
    let too_often = end.wrapping_neg() % end;
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(end);
        if product as u64 >= too_often {
            return (product >> 64) as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(end: usize, n: usize) -> impl Iterator<Item = usize> {
        let mut rng = keyed(Purpose::Shuffle, 1, 2, 3);
        std::iter::repeat_with(move || below(end, &mut rng)).take(n)
    }

    #[test]
    fn numbers_are_below_their_end_and_equally_likely() {
        let mut counts = [0_u32; 3];
        drawn(3, 30_000).for_each(|x| counts[x] += 1);
        // 1 in 10^9 has a count that is 6 standard deviations (82) off
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 490), "{counts:?}");
        assert!(drawn(1, 10).all(|x| x == 0));
        let large = usize::MAX / 4 * 3;
        assert!(drawn(large, 1000).all(|x| x < large));
    }
}
