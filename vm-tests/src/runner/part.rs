//! The share of a run that one of several guests does.

use std::fmt;
use std::str::FromStr;

/// `1/2`: the first of two shares. They are dealt like cards, because neighbours take about as long as each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    number: usize,
    of: usize,
}

impl Part {
    /// All shares of a run that is dealt to so many.
    pub fn all(of: usize) -> impl Iterator<Item = Self> {
        (1..=of).map(move |number| Self { number, of })
    }

    /// Whether this share has what stands at that place of a list.
    pub fn has(self, place: usize) -> bool {
        place % self.of == self.number - 1
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/');
        let part = numbers.and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match part {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            Some(_) | None => Err(format!("{text:?} is no share; expected one such as 1/2")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_in_one_share() {
        for of in 1..4 {
            for place in 0..9 {
                assert_eq!(Part::all(of).filter(|part| part.has(place)).count(), 1);
            }
        }
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        for part in Part::all(3) {
            assert_eq!(part.to_string().parse(), Ok(part));
        }
        for bad in ["", "1", "0/2", "3/2", "a/b", "1/0"] {
            assert!(bad.parse::<Part>().is_err(), "{bad}");
        }
    }
}
