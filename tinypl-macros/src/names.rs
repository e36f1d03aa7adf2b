//! Slips of the pen: the known name that a wrong one is nearest to.

/// The nearest of `names` to `name`, if near enough to be a slip.
pub(crate) fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let measured = names.into_iter().map(|known| (distance(name, known), known));
    let (far, known) = measured.min()?;
    // names of up to five letters may differ in one place, longer ones in a third of their letters
    (far <= name.chars().count().max(3) / 3).then_some(known)
}

/// `: did you mean …?` for an error, or `otherwise`.
pub(crate) fn did_you_mean<'a>(
    name: &str,
    names: impl IntoIterator<Item = &'a str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    match nearest(name, names) {
        Some(known) => format!(": did you mean `{known}`?"),
        None => otherwise(),
    }
}

/// How many letters have to be put in, left out, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut above_that: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut last_a = None;
    for (i, x) in a.chars().enumerate() {
        let mut row = vec![i + 1];
        let mut last_b = None;
        for (j, &y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut least = (at(&above, j) + usize::from(x != y)).min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            if last_a == Some(y) && last_b == Some(x) {
                least = least.min(at(&above_that, j.wrapping_sub(1)) + 1);
            }
            row.push(least);
            last_b = Some(y);
        }
        above_that = std::mem::replace(&mut above, row);
        last_a = Some(x);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_letters() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("", "map"), 3);
        assert_eq!(distance("map", ""), 3);
        assert_eq!(distance("fliter", "filter"), 1);
        assert_eq!(distance("colect", "collect"), 1);
        assert_eq!(distance("thread::quue", "thread::queue"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn finds_slips_only() {
        let names = ["map", "filter", "flatten"];
        assert_eq!(nearest("fliter", names), Some("filter"));
        assert_eq!(nearest("dedup", names), None);
        assert_eq!(nearest("", names), None);
    }
}
