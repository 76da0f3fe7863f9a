//! Points in time, as they stand on disk and as people read them. Nothing here asks what time it is but [`now`].

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// The machine's time zone. N.B. jiff's own way to find it walks through the whole time zone database to learn its name, which took longer
/// than everything else that a sync asks of the system.
fn zone() -> TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    let find = || match (std::env::var_os("TZ"), std::fs::read("/etc/localtime")) {
        (None, Ok(rules)) => TimeZone::tzif("local", &rules).unwrap_or_else(|_| TimeZone::system()),
        (None, Err(_)) => TimeZone::UTC,
        (Some(_), _) => TimeZone::system(),
    };
    ZONE.get_or_init(find).clone()
}

fn local(epoch: u64) -> Option<jiff::Zoned> {
    let timestamp = Timestamp::from_second(i64::try_from(epoch).ok()?).ok()?;
    Some(timestamp.to_zoned(zone()))
}

/// Local wall time as 14 digits, as `lock-time` has it.
pub fn digits(epoch: u64) -> String {
    local(epoch).map_or_else(|| "0".repeat(14), |time| time.strftime("%Y%m%d%H%M%S").to_string())
}

/// The latest point in time that 14 digits of local wall time can mean: an hour is ambiguous when summer time ends.
pub fn from_digits(digits: &str) -> Option<u64> {
    let time = DateTime::strptime("%Y%m%d%H%M%S", digits).ok()?;
    let zoned = zone().to_ambiguous_zoned(time).later().ok()?;
    u64::try_from(zoned.timestamp().as_second()).ok()
}

/// A point in time in local time, by a format of strftime.
///
/// A format that strftime does not know is shown as it is, with the seconds behind it: a report must not fail over its own looks.
pub fn formatted(epoch: u64, format: &str) -> String {
    let text = local(epoch).and_then(|time| jiff::fmt::strtime::format(format, &time).ok());
    text.unwrap_or_else(|| format!("{format} {epoch}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_read_as_the_time_that_they_were_written_for() {
        for epoch in [0, 1_700_000_000, 1_795_372_006] {
            assert_eq!(from_digits(&digits(epoch)), Some(epoch));
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for bad in ["", "2026", "20261322000000", "not-a-time-14b", "99999999999999"] {
            assert_eq!(from_digits(bad), None, "{bad}");
        }
    }
}
