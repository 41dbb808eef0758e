//! The time on the wall, in the zone that `TZ` or `/etc/localtime` says.

use std::time::{Duration, SystemTime};

use tz::{DateTime, TimeZone};

use crate::out::monitor::Time;

/// A clock on the wall.
#[derive(Debug)]
pub struct Clock {
    zone: TimeZone,
}

impl Clock {
    /// Reads which zone it is in; UTC where that cannot be told.
    #[must_use]
    pub fn read() -> Self {
        let zone = match std::env::var("TZ") {
            Ok(name) => TimeZone::from_posix_tz(&name),
            Err(_) => TimeZone::local(),
        };
        Self { zone: zone.unwrap_or_else(|_| TimeZone::utc()) }
    }

    /// Returns the time now.
    #[must_use]
    pub fn now(&self) -> Time {
        self.at(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }

    /// Returns the time that is so far from 1970 in UTC.
    #[must_use]
    pub fn at(&self, since_1970: Duration) -> Time {
        let seconds = i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX);
        let Ok(time) = DateTime::from_timespec(seconds, since_1970.subsec_nanos(), self.zone.as_ref()) else {
            return Time::default();
        };
        Time {
            year: time.year(),
            month: time.month(),
            day: time.month_day(),
            week_day: time.week_day(),
            hour: time.hour(),
            minute: time.minute(),
            second: time.second(),
            microsecond: since_1970.subsec_micros(),
            offset: time.local_time_type().ut_offset(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_moves_the_hands() {
        let clock = Clock { zone: TimeZone::from_posix_tz("HST10").unwrap() };
        let time = clock.at(Duration::new(86_400 * 365, 5_000));
        assert_eq!((time.year, time.month, time.day, time.hour, time.week_day), (1970, 12, 31, 14, 4));
        assert_eq!((time.microsecond, time.offset), (5, -36_000));
    }
}
