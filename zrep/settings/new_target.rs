//! `ZREP_CREATE_FLAGS` and `ZREP_INIT_REMOTE_PROPERTIES`: the properties of a new target.

use super::BadSetting;
use crate::plan::init::Wishes;
use crate::props::is_bookkeeping;

/// What is decided when a dataset is made, and for a replica by its source's stream.
const OF_THE_STREAM: [&str; 9] = [
    "casesensitivity",
    "encryption",
    "keyformat",
    "normalization",
    "pbkdf2iters",
    "utf8only",
    "version",
    "volblocksize",
    "volsize",
];

/// Both variables together.
pub(super) fn wishes(create_flags: Option<String>, remote_properties: Option<String>) -> Result<Wishes, BadSetting> {
    let mut found = create(&create_flags.unwrap_or_default())?;
    for word in remote_properties.unwrap_or_default().split_whitespace() {
        found.push(property("ZREP_INIT_REMOTE_PROPERTIES", word)?);
    }
    Ok(found.into_iter().collect())
}

/// The words `-o p=v` of a `zfs create`.
fn create(text: &str) -> Result<Vec<(String, String)>, BadSetting> {
    let variable = "ZREP_CREATE_FLAGS";
    let mut found = Vec::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("-o") {
            Some("") => words.next().unwrap_or_default(),
            Some(joined) => joined,
            None if word == "-u" => continue,
            None => {
                return Err(refused(
                    variable,
                    word,
                    "only -o PROPERTY=VALUE is: the dataset is made by its first stream",
                ));
            }
        };
        found.push(property(variable, setting)?);
    }
    Ok(found)
}

fn property(variable: &str, word: &str) -> Result<(String, String), BadSetting> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.:+".contains(c);
    let (name, value) = word
        .split_once('=')
        .filter(|(name, value)| {
            !name.is_empty() && name.chars().all(is_name) && !name.starts_with('-') && !value.is_empty()
        })
        .ok_or_else(|| refused(variable, word, "it is not PROPERTY=VALUE"))?;
    let why = if name == "readonly" {
        Some("a replica is read-only, and a master is not")
    } else if is_bookkeeping(name) {
        Some("zrep itself keeps it")
    } else if OF_THE_STREAM.contains(&name) {
        Some(
            "the first stream decides it; what shall be encrypted on the target alone is put below an encrypted dataset",
        )
    } else {
        None
    };
    match why {
        Some(why) => Err(refused(variable, word, why)),
        None => Ok((name.to_owned(), value.to_owned())),
    }
}

fn refused(variable: &str, word: &str, why: &str) -> BadSetting {
    BadSetting::new(
        format!("{variable}: {word} is not taken: {why}"),
        "properties that a replica may have of its own",
        format!("{word:?}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(create: &str, set: &str) -> Result<Wishes, BadSetting> {
        wishes(Some(create.into()), Some(set.into()))
    }

    #[test]
    fn properties_are_words() {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let found = both(
            "-o compression=gzip -u -ocanmount=off",
            " quota=10G  com.example:a=b=c ",
        )
        .unwrap();
        let expected = [
            ("compression", "gzip"),
            ("canmount", "off"),
            ("quota", "10G"),
            ("com.example:a", "b=c"),
        ];
        assert_eq!(found, expected.map(owned).into_iter().collect());
        assert_eq!(wishes(None, None), Ok(Wishes::default()));
    }

    #[test]
    fn what_is_not_for_a_replica_to_have_is_refused_by_name() {
        for (create, set, named) in [
            ("-p", "", "ZREP_CREATE_FLAGS: -p "),
            ("-V 1G", "", "ZREP_CREATE_FLAGS: -V "),
            ("-o", "", "ZREP_CREATE_FLAGS:  "),
            ("-o compression", "", "ZREP_CREATE_FLAGS: compression "),
            ("-o encryption=on", "", "encryption=on"),
            ("-o readonly=off", "", "readonly=off"),
            ("", "readonly=off", "ZREP_INIT_REMOTE_PROPERTIES: readonly=off"),
            ("", "zrep:master=yes", "zrep:master=yes"),
            ("", "uk:sent=1", "uk:sent=1"),
            ("", "-o a:b=c", "ZREP_INIT_REMOTE_PROPERTIES: -o "),
            ("", "=x", "=x"),
            ("", "Quota=1", "Quota=1"),
        ] {
            let error = both(create, set).unwrap_err();
            assert!(error.what.contains(named), "{error}");
        }
    }
}
