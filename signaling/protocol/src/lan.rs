//! The box on the clinic's own network: what a nurse's page may ask of it by HTTPS while the broker
//! is away, and the pass that says so.
//!
//! A pass has the form of a media token ([`crate::media`]) in a domain of its own,
//! [`PASS_DOMAIN`], with [`PassClaims`]. The box checks it with the key of
//! [`crate::uplink::FromBroker::Welcome`] and asks nobody.

use crate::reading::{DeviceId, Hex, RequestKey};
use crate::uplink::DeviceStatus;
use crate::view::ReadingRow;
use crate::{GatewayId, SiteId, Span, StaffId, SubjectId, Timestamp};
use serde::{Deserialize, Serialize};

/// Signed domain of [`PassClaims`].
pub const PASS_DOMAIN: &str = "minato-pass-1";
/// About one shift. A box refuses a pass that claims more.
pub const PASS_LIFE: Span = Span::minutes(12 * 60);
/// Patients of one pass: whoever came in last. A bedside site has a handful.
pub const PASS_SUBJECTS_MAX: usize = 64;
/// Longest name with its port.
pub const LAN_HOST_BYTES_MAX: usize = 100;
/// Rows of one answer; a page asks for the next ones at once.
pub const LAN_ROWS_MAX: usize = 200;

/// What a pass says. It carries no name: the page has those, the box needs none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassClaims {
    /// Whose session it was given to; the same for every pass of that session.
    pub holder: Hex<8>,
    /// Who says so when a device is put on somebody.
    pub staff: StaffId,
    /// At which site's boxes it is good.
    pub site: SiteId,
    /// Whose values may be seen, and on whom devices may be put; at most [`PASS_SUBJECTS_MAX`].
    pub subjects: Vec<SubjectId>,
    /// Given at, by the broker's clock.
    pub issued: Timestamp,
    /// The end, at most [`PASS_LIFE`] later.
    pub not_after: Timestamp,
}

/// Where a box listens on the clinic's network, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LanPlace {
    /// `https://host` or `https://host:port`, nothing behind it.
    pub url: String,
    /// SHA-256 of the certificate that a tablet has to trust, where the box made it itself.
    #[serde(default)]
    pub fingerprint: Option<Hex<32>>,
}

impl LanPlace {
    /// Whether the address is one that may stand in a page's policy: a plain name or number with
    /// its port, and nothing that would end the line.
    pub fn is_plain(&self) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
        let host = self.url.strip_prefix("https://").unwrap_or_default();
        !host.is_empty() && host.len() <= LAN_HOST_BYTES_MAX && host.bytes().all(plain)
    }
}

/// A box of the nurse's site that can be reached on the clinic's network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LanBox {
    /// Which.
    pub gateway: GatewayId,
    /// Where.
    #[serde(flatten)]
    pub place: LanPlace,
}

/// What a nurse's page keeps for the time when the broker is away.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LanPass {
    /// Bearer token for [`LanBox`]es of the site.
    pub pass: String,
    /// Until when, by the broker's clock.
    pub until: Timestamp,
    /// Empty where no box listens on the clinic's network.
    pub boxes: Vec<LanBox>,
}

hidden!(LanPass);

/// `GET /lan/seen?run=…&after=…`: everything that hangs at the box, and what was measured since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LanSeen {
    /// Which box.
    pub gateway: GatewayId,
    /// Drawn at each start of the box: cursors count within it.
    pub run: Hex<8>,
    /// The box's clock.
    pub now: Timestamp,
    /// Whether the box reaches the broker now.
    pub connected: bool,
    /// Entries that the broker has not yet.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub waiting: u64,
    /// Every device.
    pub devices: Vec<LanDevice>,
    /// Values of the pass's patients behind the cursor, oldest first; at most [`LAN_ROWS_MAX`].
    pub rows: Vec<LanRow>,
    /// The cursor behind them.
    pub cursor: u32,
    /// There may be more to be asked for at once.
    pub more: bool,
}

/// A device at the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LanDevice {
    /// How it is. Whom it is on is told of the pass's patients only.
    pub status: DeviceStatus,
    /// Whether it is on anybody at all.
    pub worn: bool,
}

/// A value of one of the pass's patients. Its `seq` counts at the box, not at the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LanRow {
    /// Whose.
    pub subject: SubjectId,
    /// What was measured.
    pub row: ReadingRow,
}

/// `POST /lan/bind`. Answered once it is on the box's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LanBind {
    /// Made by the page once a press; repeating it changes nothing.
    pub key: RequestKey,
    /// Which device.
    pub device: DeviceId,
    /// On whom.
    pub subject: SubjectId,
    /// Somebody confirmed that it comes off whoever it is on now.
    pub takes_over: bool,
}

/// `POST /lan/unbind` takes a device off, `POST /lan/measure` presses its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LanDo {
    /// As in [`LanBind`].
    pub key: RequestKey,
    /// Which device.
    pub device: DeviceId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{TOKEN_BYTES_MAX, TokenText, token_payload, token_text};

    #[test]
    fn an_address_that_would_end_a_line_of_the_policy_is_no_plain_one() {
        let place = |url: &str| LanPlace { url: url.into(), fingerprint: None };
        for url in ["https://192.0.2.7:8443", "https://box.clinic.example"] {
            assert!(place(url).is_plain(), "{url}");
        }
        let long = format!("https://{}", "a".repeat(LAN_HOST_BYTES_MAX + 1));
        for url in [
            "",
            "https://",
            "http://192.0.2.7",
            "https://a b",
            "https://a;script-src *",
            "https://a/",
            "https://u@a",
            "https://*",
            &long,
        ] {
            assert!(!place(url).is_plain(), "{url}");
        }
    }

    #[test]
    fn a_pass_for_as_many_patients_as_fit_is_a_token_that_is_looked_at() {
        let claims = PassClaims {
            holder: Hex([0xff; 8]),
            staff: StaffId(u64::MAX),
            site: SiteId(u64::MAX),
            subjects: vec![SubjectId(u64::MAX); PASS_SUBJECTS_MAX],
            issued: Timestamp(1_700_000_000_000),
            not_after: Timestamp(1_700_000_000_000) + PASS_LIFE,
        };
        let text = token_text(&token_payload(&claims), &[0; 64]);
        assert!(text.len() <= TOKEN_BYTES_MAX, "{}", text.len());
        let read = TokenText::parse(&text).and_then(|token| token.claims::<PassClaims>());
        assert_eq!(read, Some(claims));
    }
}
