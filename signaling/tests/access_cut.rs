//! The process dies between any two steps of coming in, and nobody is locked out or let in twice.
//! And: what is stored gives nobody a way in.

mod access_support;

use access_support::{Browser, CutLog, House, PASSWORD, PIN, SATO, everywhere};
use aws_lc_rs::digest;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use minato_protocol::entry::Entry;
use minato_protocol::{Code, Role, Span};
use minato_signaling::access::doors::{IssuedParts, ONCE_LIFE, issue_once};
use minato_signaling::log::{EventLog, MemoryLog};
use std::sync::Arc;

const IN: Entry = Entry::Open { role: Role::Patient };
/// More appends than any door needs.
const APPENDS_MAX: usize = 12;

/// The house before the cut, the one that is cut, and the one that starts again.
struct Cut {
    under: Arc<dyn EventLog>,
    before: House,
}

impl Cut {
    async fn prepare() -> Self {
        let under: Arc<dyn EventLog> = Arc::new(MemoryLog::default());
        let before = House::over(Arc::clone(&under), None).await;
        Self { under, before }
    }

    async fn dying(&self, appends: usize, last_is_written: bool) -> House {
        let log = CutLog::new(Arc::clone(&self.under), appends, last_is_written);
        self.started(Arc::new(log)).await
    }

    async fn again(&self) -> House {
        self.started(Arc::clone(&self.under)).await
    }

    async fn started(&self, log: Arc<dyn EventLog>) -> House {
        let clock = self.before.desk().clock.clone();
        House::open(log, clock, self.before.secrets.clone(), None).await
    }
}

fn moved(browser: &Browser, house: &House) -> Browser {
    Browser { router: house.router.clone(), ..browser.clone() }
}

fn went_through(answer: &access_support::Answer) -> bool {
    if answer.status != 200 {
        assert_eq!(answer.refusal(), (503, Code::NotDurable));
    }
    answer.status == 200
}

/// What one request before the cut has to be worth after it.
struct Story {
    /// A sentence; named when it does not hold.
    says: &'static str,
    told: Telling,
}

/// Told once for each cut: the house, the number of appends that go through, whether the next one
/// is still written. Answers whether the request went through.
type Telling = fn(Cut, usize, bool) -> BoxFuture<'static, bool>;

macro_rules! stories {
    ($($says:literal => $told:ident),+ $(,)?) => {
        [$(Story { says: $says, told: |cut, appends, written| $told(cut, appends, written).boxed() }),+]
    };
}

#[tokio::test]
async fn whatever_is_cut_off_anywhere_goes_on_from_there() {
    let stories = stories![
        "a patient presses again and is in" => a_link_again,
        "a stranger who is quicker does not come in as well" => a_quicker_stranger,
        "eight digits work again" => digits_again,
        "a transfer goes on and leaves one browser" => a_transfer_again,
        "a yes is said again" => a_yes_again,
        "a second device asks again" => a_second_device_again,
        "links are issued again and are the same" => links_again,
        "a doctor signs in with the next code" => a_sign_in_again,
    ];
    for Story { says, told } in stories {
        println!("{says}");
        for last_is_written in [false, true] {
            let mut appends = 0;
            while !told(Cut::prepare().await, appends, last_is_written).await {
                appends += 1;
                assert!(appends < APPENDS_MAX, "{says}: it goes through sometime");
            }
            assert!(appends > 0, "{says}: there was something to cut");
        }
    }
}

impl Cut {
    /// A patient's link from before the cut, and the house that will be cut.
    async fn with_link(&self, appends: usize, written: bool) -> (IssuedParts, House) {
        let link = self.before.link(SATO, 1).await;
        (link, self.dying(appends, written).await)
    }
}

async fn a_link_again(cut: Cut, appends: usize, written: bool) -> bool {
    let (link, dying) = cut.with_link(appends, written).await;
    let mut phone = dying.browser();
    let through = went_through(&phone.join(&link.secret).await);
    let again = cut.again().await;
    let mut phone = moved(&phone, &again);
    assert_eq!(phone.join(&link.secret).await.entry(), IN);
    assert_eq!(phone.me().await.entry(), IN);
    assert!(again.has_arrived(SATO).await);
    assert_eq!(again.browser().join(&link.secret).await.entry(), Entry::Pending);
    through
}

async fn a_quicker_stranger(cut: Cut, appends: usize, written: bool) -> bool {
    let (link, dying) = cut.with_link(appends, written).await;
    let mut phone = dying.browser();
    let through = went_through(&phone.join(&link.secret).await);
    let again = cut.again().await;
    let mut stranger = again.browser();
    let first = stranger.join(&link.secret).await.entry();
    let mut phone = moved(&phone, &again);
    let second = phone.join(&link.secret).await.entry();
    assert!([&first, &second].contains(&&IN) && first != second, "{first:?} {second:?}");
    assert_eq!(stranger.me().await.entry(), first);
    assert_eq!(phone.me().await.entry(), second);
    through
}

async fn digits_again(cut: Cut, appends: usize, written: bool) -> bool {
    let (link, dying) = cut.with_link(appends, written).await;
    let mut phone = dying.browser();
    let through = went_through(&phone.join_spoken(&link.spoken).await);
    let again = cut.again().await;
    let mut phone = moved(&phone, &again);
    assert_eq!(phone.join_spoken(&link.spoken).await.entry(), IN);
    assert!(again.has_arrived(SATO).await);
    let stranger = again.browser().join_spoken(&link.spoken).await;
    assert_eq!(stranger.refusal(), (401, Code::CodeWrong));
    assert_eq!(again.browser().join(&link.secret).await.entry(), Entry::Pending);
    through
}

async fn a_transfer_again(cut: Cut, appends: usize, written: bool) -> bool {
    let link = cut.before.link(SATO, 1).await;
    let mut messenger = cut.before.browser();
    messenger.join(&link.secret).await;
    let code = messenger.transfer().await.transfer_code();
    let mut safari = cut.dying(appends, written).await.browser();
    let through = went_through(&safari.transfer_use(&code).await);
    let again = cut.again().await;
    let (mut safari, mut messenger) = (moved(&safari, &again), moved(&messenger, &again));
    assert_eq!(safari.transfer_use(&code).await.entry(), IN);
    assert_eq!(safari.me().await.entry(), IN);
    assert_eq!(messenger.me().await.entry(), Entry::Outside);
    through
}

async fn a_yes_again(cut: Cut, appends: usize, written: bool) -> bool {
    let link = cut.before.link(SATO, 1).await;
    cut.before.browser().join(&link.secret).await;
    let mut tablet = cut.before.browser();
    assert_eq!(tablet.join(&link.secret).await.entry(), Entry::Pending);
    let asking = cut.before.asking(SATO).await;
    let said = cut.dying(appends, written).await.settle(&asking[0], true).await;
    assert!(matches!(said, Ok(()) | Err(Code::NotDurable)), "{said:?}");
    let again = cut.again().await;
    assert_eq!(again.settle(&asking[0], true).await, Ok(()));
    assert!(again.asking(SATO).await.is_empty());
    assert_eq!(moved(&tablet, &again).me().await.entry(), IN);
    said.is_ok()
}

async fn a_second_device_again(cut: Cut, appends: usize, written: bool) -> bool {
    let link = cut.before.link(SATO, 1).await;
    cut.before.browser().join(&link.secret).await;
    let mut tablet = cut.dying(appends, written).await.browser();
    let through = went_through(&tablet.join(&link.secret).await);
    let again = cut.again().await;
    let mut tablet = moved(&tablet, &again);
    assert_eq!(tablet.join(&link.secret).await.entry(), Entry::Pending);
    assert_eq!(again.asking(SATO).await.len(), 1);
    through
}

async fn links_again(cut: Cut, appends: usize, written: bool) -> bool {
    let first = cut.dying(appends, written).await.try_link(SATO, 1).await;
    let again = cut.again().await;
    let link = again.link(SATO, 1).await;
    assert_eq!(again.events("link/").await, 2);
    assert_eq!(again.browser().join(&link.secret).await.entry(), IN);
    match &first {
        Ok(first) => assert!(*first == link),
        Err(code) => assert_eq!(*code, Code::NotDurable),
    }
    first.is_ok()
}

async fn a_sign_in_again(cut: Cut, appends: usize, written: bool) -> bool {
    let made = cut.before.account("abe", Role::Doctor).await;
    let dying = cut.dying(appends, written).await;
    let code = dying.totp(&made.totp);
    let through = went_through(&dying.browser().sign_in("abe", PASSWORD, &code).await);
    let again = cut.again().await;
    again.advance(Span::seconds(30));
    let code = again.totp(&made.totp);
    assert_eq!(again.browser().sign_in("abe", PASSWORD, &code).await.status, 200);
    through
}

#[tokio::test]
async fn while_the_log_is_away_nobody_is_told_to_be_outside() {
    let cut = Cut::prepare().await;
    let link = cut.before.link(SATO, 1).await;
    let mut phone = cut.before.browser();
    phone.join(&link.secret).await;
    let dying = cut.dying(0, false).await;
    dying.browser().join_spoken("00000000").await;
    let other = cut.before.link(access_support::ITO, 2).await;
    dying.browser().join(&other.secret).await;
    assert_eq!(moved(&phone, &dying).me().await.refusal(), (503, Code::NotDurable));
    assert_eq!(moved(&phone, &cut.again().await).me().await.entry(), IN);
}

#[tokio::test]
async fn nothing_that_is_stored_is_a_way_in() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let mut phone = house.browser();
        phone.join(&link.secret).await;
        let mut tablet = house.browser();
        tablet.join(&link.secret).await;
        let transfer = phone.transfer().await.transfer_code();
        let mut safari = house.browser();
        safari.transfer_use(&transfer).await;
        let nurse = house.account("hama", Role::Nurse).await;
        let mut page = house.browser();
        page.sign_in("hama", PASSWORD, &house.totp(&nurse.totp)).await;
        let once = issue_once(house.desk(), nurse.staff, ONCE_LIFE).await.expect("issued");
        house.browser().sign_in_once(&once).await;

        let session = |browser: &Browser| browser.cookie.clone().expect("a session");
        let mut secrets = vec![
            link.secret.clone(),
            link.spoken.clone(),
            transfer.clone(),
            once,
            PASSWORD.to_owned(),
            nurse.totp.base32(),
            session(&safari),
            session(&tablet),
            session(&page),
            phone.drawn.clone(),
            safari.drawn.clone(),
        ];
        // A plain hash of eight digits would be found by trying all of them.
        for digits in [&link.spoken, &transfer, PIN] {
            let hash = digest::digest(&digest::SHA256, digits.as_bytes());
            secrets.push(hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        let stored = house.whole_log().await;
        assert!(stored.contains("exchanged") && stored.contains("$argon2id$"));
        assert!(!stored.contains(&format!("\"{PIN}\"")));
        for secret in &secrets {
            assert!(!stored.contains(secret.as_str()), "found in the log's events");
        }
        let Some(folder) = &house.folder else { return };
        for file in std::fs::read_dir(folder.path()).expect("a folder") {
            let bytes = std::fs::read(file.expect("a file").path()).expect("readable");
            for secret in &secrets {
                let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!found, "found in the files");
            }
        }
    })
    .await;
}
