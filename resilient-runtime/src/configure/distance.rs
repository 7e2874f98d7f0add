//! How far apart two words are.

/// How many slips of the fingers: a letter left out, put in, taken for another, or two in the wrong order (optimal string alignment).
pub(super) fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let (mut before, mut above): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=other.len()).collect());
    let mut previous = None;
    for (row, letter) in one.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, facing) in other.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != *facing);
            let mut least = replaced.min(above[column + 1] + 1).min(current[column] + 1);
            if column > 0 && previous == Some(*facing) && other[column - 1] == letter {
                least = least.min(before[column - 1] + 1);
            }
            current.push(least);
        }
        previous = Some(letter);
        (before, above) = (above, current);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn slips_are_counted() {
        for (one, other, slips) in [
            ("", "", 0),
            ("", "abc", 3),
            ("retries", "retries", 0),
            ("retries", "retrie", 1),
            ("retries", "retriess", 1),
            ("retries", "retrues", 1),
            ("retries", "rteries", 1),
            ("größe", "grösse", 2),
            ("ca", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!((distance(one, other), distance(other, one)), (slips, slips), "{one} {other}");
        }
    }
}
