//! The uid of an object, as it is compared: a read of the whole object takes far longer.

/// A uid. The server gives none that is no UUID, and others are named in references.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Uid {
    /// A UUID as it is always written.
    Number([u64; 2]),
    Other,
}

/// How many digits there are between the dashes of a UUID.
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

impl Uid {
    pub(crate) fn of(text: &str) -> Self {
        Self::number(text).map_or(Self::Other, Self::Number)
    }

    fn number(text: &str) -> Option<[u64; 2]> {
        let mut groups = text.split('-');
        let mut number: u128 = 0;
        for length in GROUPS {
            let group = groups.next().filter(|group| group.len() == length)?;
            for digit in group.bytes() {
                let value = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return None,
                };
                number = number << 4 | u128::from(value);
            }
        }
        let halves = [number >> 64, number & u128::from(u64::MAX)];
        let whole = groups.next().is_none();
        whole.then(|| halves.map(|half| u64::try_from(half).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_a_number_only_as_it_is_always_written() {
        let number = Uid::of("00000000-0000-0001-0000-00000000000f");
        assert_eq!(number, Uid::Number([1, 15]));
        for other in [
            "",
            "1",
            "00000000-0000-0001-0000-00000000000F",
            "00000000-0000-0001-0000-00000000000f-",
            "000000000000000100000000000000000f",
            "0000000-00000-0001-0000-00000000000f",
        ] {
            assert_eq!(Uid::of(other), Uid::Other, "{other}");
        }
    }
}
