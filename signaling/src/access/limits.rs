//! How often somebody may try: token buckets in tables of fixed size. Pure but for the lock.
//!
//! A table has so many buckets and never more; who shares one is decided by a hash with a key of
//! this process, which nobody outside can steer. A try that turned out right is given back, so that a clinic behind
//! one address is not held up by its own people.

use minato_protocol::{Code, Span, Timestamp};
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Wrong spoken or transfer codes a minute from one address.
const CODES_PER_ADDRESS: u32 = 10;
/// Wrong spoken or transfer codes a minute from everywhere: at this pace it takes three years to
/// go through all eight-digit numbers.
const CODES_IN_TOTAL: u32 = 60;
/// Wrong sign-ins a minute for one account name, and as many from one address.
const SIGN_INS: u32 = 10;
/// Second devices that ask for one ticket in a minute.
const DEVICE_ASKS: u32 = 6;
/// Transfer codes made for one ticket in a minute.
const TRANSFER_CODES: u32 = 5;
/// Wrong PINs a minute for one member of staff.
const PINS: u32 = 5;
/// Pictures that one session hands in in a minute.
const PHOTOS: u32 = 20;

/// Wrong pairs of ticket code and birth date a minute for one member of staff.
const IDENTIFIERS: u32 = 5;

/// Buckets of one table. More names than this share buckets; memory does not grow.
const BUCKETS: usize = 4_096;
const MINUTE: Span = Span::minutes(1);

/// All limits of this node. Shared by reference.
#[derive(Debug)]
pub struct Limits {
    scatter: RandomState,
    tables: Mutex<Tables>,
}

#[derive(Debug)]
struct Tables {
    codes_by_address: Table,
    codes_in_total: Table,
    sign_ins_by_account: Table,
    sign_ins_by_address: Table,
    device_asks_by_ticket: Table,
    transfers_by_ticket: Table,
    pins_by_staff: Table,
    identifiers_by_staff: Table,
    photos_by_session: Table,
}

/// A try that was let through. Give it back when it turned out right.
#[derive(Debug)]
#[must_use]
pub(crate) struct Try<'a> {
    limits: &'a Limits,
    taken: Vec<(Which, u64)>,
}

#[derive(Debug, Clone, Copy)]
enum Which {
    CodesByAddress,
    CodesInTotal,
    SignInsByAccount,
    SignInsByAddress,
    DeviceAsks,
    Transfers,
    Pins,
    Identifiers,
    Photos,
}

impl Default for Limits {
    /// Full buckets.
    fn default() -> Self {
        let tables = Tables {
            codes_by_address: Table::new(CODES_PER_ADDRESS, BUCKETS),
            codes_in_total: Table::new(CODES_IN_TOTAL, 1),
            sign_ins_by_account: Table::new(SIGN_INS, BUCKETS),
            sign_ins_by_address: Table::new(SIGN_INS, BUCKETS),
            device_asks_by_ticket: Table::new(DEVICE_ASKS, BUCKETS),
            transfers_by_ticket: Table::new(TRANSFER_CODES, BUCKETS),
            pins_by_staff: Table::new(PINS, BUCKETS),
            identifiers_by_staff: Table::new(IDENTIFIERS, BUCKETS),
            photos_by_session: Table::new(PHOTOS, BUCKETS),
        };
        Self { scatter: RandomState::new(), tables: Mutex::new(tables) }
    }
}

impl Limits {
    pub(crate) fn code(&self, from: SocketAddr, now: Timestamp) -> Result<Try<'_>, Code> {
        let address = self.scatter(network(from));
        self.take(&[(Which::CodesByAddress, address), (Which::CodesInTotal, 0)], now)
    }

    pub(super) fn sign_in(
        &self,
        account: &str,
        from: SocketAddr,
        now: Timestamp,
    ) -> Result<Try<'_>, Code> {
        let account = self.scatter(account);
        let address = self.scatter(network(from));
        self.take(&[(Which::SignInsByAccount, account), (Which::SignInsByAddress, address)], now)
    }

    pub(super) fn device_ask(&self, ticket: u64, now: Timestamp) -> Result<Try<'_>, Code> {
        self.take(&[(Which::DeviceAsks, self.scatter(ticket))], now)
    }

    pub(super) fn transfer_code(&self, ticket: u64, now: Timestamp) -> Result<Try<'_>, Code> {
        self.take(&[(Which::Transfers, self.scatter(ticket))], now)
    }

    pub(super) fn pin(&self, staff: u64, now: Timestamp) -> Result<Try<'_>, Code> {
        self.take(&[(Which::Pins, self.scatter(staff))], now)
    }

    pub(crate) fn identifiers(&self, staff: u64, now: Timestamp) -> Result<Try<'_>, Code> {
        self.take(&[(Which::Identifiers, self.scatter(staff))], now)
    }

    /// Every picture counts.
    pub(crate) fn photo(&self, session: &str, now: Timestamp) -> Result<(), Code> {
        self.take(&[(Which::Photos, self.scatter(session))], now).map(drop)
    }

    fn scatter(&self, name: impl Hash) -> u64 {
        self.scatter.hash_one(name)
    }

    /// Takes from every bucket or from none.
    fn take(&self, wanted: &[(Which, u64)], now: Timestamp) -> Result<Try<'_>, Code> {
        let mut tables = self.lock();
        for (index, (which, key)) in wanted.iter().enumerate() {
            if !tables.table(*which).take(*key, now) {
                give_back(&mut tables, &wanted[..index]);
                return Err(Code::TooMany);
            }
        }
        Ok(Try { limits: self, taken: wanted.to_vec() })
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Try<'_> {
    pub(crate) fn was_right(self) {
        give_back(&mut self.limits.lock(), &self.taken);
    }
}

fn give_back(tables: &mut Tables, taken: &[(Which, u64)]) {
    for (which, key) in taken {
        tables.table(*which).give_back(*key);
    }
}

impl Tables {
    fn table(&mut self, which: Which) -> &mut Table {
        match which {
            Which::CodesByAddress => &mut self.codes_by_address,
            Which::CodesInTotal => &mut self.codes_in_total,
            Which::SignInsByAccount => &mut self.sign_ins_by_account,
            Which::SignInsByAddress => &mut self.sign_ins_by_address,
            Which::DeviceAsks => &mut self.device_asks_by_ticket,
            Which::Transfers => &mut self.transfers_by_ticket,
            Which::Pins => &mut self.pins_by_staff,
            Which::Identifiers => &mut self.identifiers_by_staff,
            Which::Photos => &mut self.photos_by_session,
        }
    }
}

/// Whoever has one IPv6 address has its whole /64.
fn network(from: SocketAddr) -> Vec<u8> {
    match from.ip().to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

/// Buckets that hold `per_minute` tries each and fill evenly within a minute.
#[derive(Debug)]
struct Table {
    per_minute: u32,
    buckets: Vec<Bucket>,
}

/// Filled to `spent_ms` below the brim at the time `at`; one try is a minute's share.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    spent_ms: i64,
    at: Timestamp,
}

impl Table {
    fn new(per_minute: u32, buckets: usize) -> Self {
        Self { per_minute, buckets: vec![Bucket::default(); buckets] }
    }

    fn share_ms(&self) -> i64 {
        MINUTE.0 / i64::from(self.per_minute)
    }

    fn bucket(&mut self, key: u64) -> &mut Bucket {
        let place = key % self.buckets.len() as u64;
        &mut self.buckets[usize::try_from(place).expect("a place in a table is an index")]
    }

    fn take(&mut self, key: u64, now: Timestamp) -> bool {
        let share_ms = self.share_ms();
        let bucket = self.bucket(key);
        let passed = (now - bucket.at).0.max(0);
        let spent_ms = bucket.spent_ms.saturating_sub(passed).max(0) + share_ms;
        if spent_ms > MINUTE.0 {
            return false;
        }
        *bucket = Bucket { spent_ms, at: now.max(bucket.at) };
        true
    }

    fn give_back(&mut self, key: u64) {
        let share_ms = self.share_ms();
        let bucket = self.bucket(key);
        bucket.spent_ms = (bucket.spent_ms - share_ms).max(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp(1_700_000_000_000);

    fn from(host: &str) -> SocketAddr {
        format!("{host}:40000").parse().unwrap()
    }

    fn limits() -> Limits {
        Limits::default()
    }

    fn tries(mut one: impl FnMut() -> bool) -> usize {
        (0..1_000).take_while(|_| one()).count()
    }

    #[test]
    fn an_address_has_ten_wrong_codes_a_minute_and_then_one_every_six_seconds() {
        let limits = limits();
        let code = |at: i64| limits.code(from("192.0.2.1"), T0 + Span(at)).is_ok();
        assert_eq!(tries(|| code(0)), 10);
        assert!(!code(5_999));
        assert!(code(6_000) && !code(6_000));
        assert_eq!(tries(|| code(120_000)), 10);
    }

    #[test]
    fn everybody_together_has_sixty_wrong_codes_a_minute() {
        let limits = limits();
        let mut address = 0;
        let let_through = tries(|| {
            address += 1;
            limits.code(from(&format!("192.0.2.{}", address % 250)), T0).is_ok()
        });
        assert_eq!(let_through, 60);
    }

    #[test]
    fn a_right_code_does_not_count() {
        let limits = limits();
        for _ in 0..100 {
            limits.code(from("192.0.2.1"), T0).expect("nothing was wrong yet").was_right();
        }
    }

    #[test]
    fn a_house_with_many_ipv6_addresses_is_one_house() {
        let limits = limits();
        let mut host = 0;
        let let_through = tries(|| {
            host += 1;
            limits.code(from(&format!("[2001:db8::{host:x}]")), T0).is_ok()
        });
        assert_eq!(let_through, 10);
    }

    #[test]
    fn an_account_is_guarded_against_many_addresses_and_an_address_against_many_accounts() {
        let limits = limits();
        let mut n = 0;
        let by_account = tries(|| {
            n += 1;
            limits.sign_in("abe", from(&format!("198.51.100.{}", n % 250)), T0).is_ok()
        });
        assert_eq!(by_account, 10);
        let by_address = tries(|| {
            n += 1;
            limits.sign_in(&format!("name{n}"), from("203.0.113.9"), T0).is_ok()
        });
        assert_eq!(by_address, 10);
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_gives_nothing_for_free() {
        let limits = limits();
        assert_eq!(tries(|| limits.pin(1, T0).is_ok()), 5);
        assert!(limits.pin(1, T0 - Span(60_000)).is_err());
        assert!(limits.pin(1, T0).is_err());
    }
}
