//! Small sets of bits.

/// Declares a set of bits with named members.
macro_rules! flags {
    (
        $(#[$doc:meta])*
        $name:ident: $repr:ty {
            $($(#[$flag_doc:meta])* $flag:ident = $bits:expr,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $name($repr);

        impl $name {
            $($(#[$flag_doc])* pub const $flag: Self = Self($bits);)*

            /// No bit set.
            pub const fn empty() -> Self {
                Self(0)
            }

            /// The set with exactly these bits, known to this crate or not.
            pub const fn from_bits(bits: $repr) -> Self {
                Self(bits)
            }

            /// All bits, known to this crate or not.
            pub const fn bits(self) -> $repr {
                self.0
            }

            /// True if no bit is set.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// True if every bit of `other` is set.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// The bits of both.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// The bits that are not in `other`.
            #[must_use]
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }
        }

        impl std::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                self.union(other)
            }
        }

        impl std::ops::BitOrAssign for $name {
            fn bitor_assign(&mut self, other: Self) {
                *self = self.union(other);
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let known = [$((stringify!($flag), Self::$flag)),*];
                $crate::flags::fmt(f, stringify!($name), u64::from(self.0), known.map(
                    |(name, flag)| (name, u64::from(flag.0)),
                ))
            }
        }
    };
}

pub(crate) use flags;

/// `SendFlags(LARGE_BLOCK | COMPRESS | 0x100)`: names where there are any.
pub(crate) fn fmt<const N: usize>(
    f: &mut std::fmt::Formatter<'_>,
    name: &str,
    bits: u64,
    known: [(&str, u64); N],
) -> std::fmt::Result {
    let mut rest = bits;
    let mut words = Vec::new();
    for (word, flag) in known {
        if bits & flag == flag {
            words.push(word.to_owned());
            rest &= !flag;
        }
    }
    if rest != 0 {
        words.push(format!("{rest:#x}"));
    }
    write!(f, "{name}({})", words.join(" | "))
}
