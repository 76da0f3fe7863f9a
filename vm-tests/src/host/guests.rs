//! The table of guests: which OpenZFS versions the laboratory has.

use std::fmt;

/// One row: a Debian release and where its OpenZFS comes from.
#[derive(Debug)]
pub struct Guest {
    pub name: &'static str,
    pub suite: &'static str,
    /// Take the ZFS packages from `<suite>-backports`.
    pub backports: bool,
    /// For people: what they get.
    pub openzfs: &'static str,
}

pub static GUESTS: [Guest; 3] = [
    Guest {
        name: "debian13",
        suite: "trixie",
        backports: false,
        openzfs: "2.3",
    },
    Guest {
        name: "debian12",
        suite: "bookworm",
        backports: false,
        openzfs: "2.1",
    },
    Guest {
        name: "debian13-backports",
        suite: "trixie",
        backports: true,
        openzfs: "2.4",
    },
];

/// The guest that is used when none is named.
pub static DEFAULT: &str = GUESTS[0].name;

impl Guest {
    /// Looks a guest up by its name; the error lists the names there are.
    pub fn by_name(name: &str) -> Result<&'static Self, String> {
        GUESTS.iter().find(|guest| guest.name == name).ok_or_else(|| {
            let known: Vec<_> = GUESTS.iter().map(|guest| guest.name).collect();
            format!("there is no such guest (there are: {})", known.join(", "))
        })
    }

    /// The lines of the guest's own sources.list.
    pub fn sources(&self, mirror: &str) -> Vec<String> {
        let line = |suite: &str| format!("deb {mirror} {suite} main contrib");
        let mut lines = vec![line(self.suite)];
        if self.backports {
            lines.push(line(&format!("{}-backports", self.suite)));
        }
        lines
    }

    /// Apt preferences of the guest: only ZFS is taken from backports, since a newer
    /// kernel would not be the one this ZFS was packaged for.
    pub fn preferences(&self) -> Option<String> {
        self.backports.then(|| {
            format!(
                "Package: zfs* libzfs* libnvpair* libuutil* libzpool* libzfsbootenv*\n\
                 Pin: release n={}-backports\n\
                 Pin-Priority: 990\n",
                self.suite
            )
        })
    }
}

impl fmt::Display for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (OpenZFS {})", self.name, self.openzfs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_backports_guest_asks_backports() {
        let plain = Guest::by_name("debian13").unwrap();
        assert_eq!(plain.sources("M"), ["deb M trixie main contrib"]);
        assert_eq!(plain.preferences(), None);

        let newer = Guest::by_name("debian13-backports").unwrap();
        assert_eq!(newer.sources("M")[1], "deb M trixie-backports main contrib");
        assert!(newer.preferences().unwrap().contains("n=trixie-backports"));
    }

    #[test]
    fn an_unknown_guest_is_answered_with_the_known_ones() {
        let error = Guest::by_name("debian7").unwrap_err();
        assert!(error.contains("debian13, debian12"), "{error}");
    }
}
