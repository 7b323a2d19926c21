//! Who is in which slot of a page, and how much picture the page wants of whom.

use super::{GivenUp, PartyRole, Pin, Reduced, VoiceTerms, Wanted};
use crate::ParticipantId;
use serde::{Deserialize, Serialize};

/// Relay to page on [`super::SLOTS_CHANNEL`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum ToPage {
    /// A full snapshot; it replaces the one before.
    SlotMap(SlotMap),
}

/// Who is where. Sent when the channel opens and after each change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SlotMap {
    /// Grows by at least one with each snapshot of a session; a lower one is old.
    pub version: u32,
    /// Occupied slots only, by index.
    pub slots: Vec<Slot>,
    /// Whose stethoscope is on the auscultation line, if anybody's. Doctors and nurses alone
    /// are sent its sound, and are told.
    pub auscultation: Option<ParticipantId>,
    /// Told while this page is given less than it wishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub reduced: Option<Reduced>,
    /// Told to a page whose camera somebody could see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub wanted: Option<Wanted>,
    /// Told while a link loses sound or has little room for it.
    #[serde(default, skip_serializing_if = "VoiceTerms::are_ordinary")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<VoiceTerms>"))]
    pub voice: VoiceTerms,
    /// Waves of somebody in the visit wait: this page's link has no room for them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub waves_wait: bool,
}

/// One occupied slot: the `index`-th receiving audio and video line of the page's offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Slot {
    /// 0 to [`super::SLOTS`] - 1.
    pub index: u8,
    /// Who is in it.
    pub participant: ParticipantId,
    /// What that person is.
    pub role: PartyRole,
    /// Sound has been coming from this person lately.
    pub audio: bool,
    /// A picture has been coming from this person lately.
    pub video: bool,
    /// What is missing of it; [`SlotMap::reduced`] or one of the next two says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub given_up: Option<GivenUp>,
    /// It is missing because that person's own link has no room for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub own_link: bool,
    /// It is missing because that person's page does not send it, whatever the reason.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub unsent: bool,
}

/// Page to relay on [`super::SLOTS_CHANNEL`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum FromPage {
    /// How much picture this page wants of somebody. Sound is not affected.
    WantVideo {
        /// Of whom.
        participant: ParticipantId,
        /// How much.
        video: VideoWish,
    },
    /// Heard only from doctors.
    Pin(Pin),
}

/// Size of a picture that is worth sending. Without a wish it is [`VideoWish::Half`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum VideoWish {
    /// None at all.
    Off,
    /// The quarter layer (rid `q`), a thumbnail.
    Quarter,
    /// The half layer (rid `h`).
    #[default]
    Half,
    /// The full layer (rid `f`).
    Full,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Cause, LadderStep};

    #[test]
    fn a_slot_map_is_a_tagged_snapshot() {
        let map = SlotMap {
            version: 4,
            slots: vec![Slot {
                index: 0,
                participant: ParticipantId(2),
                role: PartyRole::Doctor,
                audio: true,
                video: false,
                given_up: None,
                own_link: false,
                unsent: false,
            }],
            ..SlotMap::default()
        };
        let json = serde_json::to_string(&ToPage::SlotMap(map.clone())).expect("json");
        assert_eq!(
            json,
            r#"{"type":"slot_map","version":4,"slots":[{"index":0,"participant":"0000000000002","role":"doctor","audio":true,"video":false}],"auscultation":null}"#
        );
        assert_eq!(serde_json::from_str::<ToPage>(&json).expect("back"), ToPage::SlotMap(map));
    }

    #[test]
    fn a_page_on_a_thin_link_is_told_what_it_is_not_given() {
        let old = r#"{"type":"slot_map","version":4,"slots":[],"auscultation":null}"#;
        assert!(serde_json::from_str::<ToPage>(old).is_ok(), "the fields may be absent");
        let map = SlotMap {
            reduced: Some(Reduced { step: LadderStep::Stills, because: Cause::Bandwidth }),
            wanted: Some(Wanted { stills: true, ..Wanted::of(VideoWish::Half) }),
            ..SlotMap::default()
        };
        assert_eq!(
            serde_json::to_string(&map).expect("json"),
            r#"{"version":0,"slots":[],"auscultation":null,"reduced":{"step":"stills","because":"bandwidth"},"wanted":{"video":"half","stills":true}}"#
        );
        let less = Wanted { given_up: Some(GivenUp::Size), ..Wanted::of(VideoWish::Quarter) };
        assert_eq!(
            serde_json::to_string(&less).expect("json"),
            r#"{"video":"quarter","stills":false,"given_up":"size"}"#
        );
        assert_eq!(
            serde_json::to_string(&Wanted { own_link: true, ..less }).expect("json"),
            r#"{"video":"quarter","stills":false,"given_up":"size","own_link":true}"#
        );
        let pin = r#"{"type":"pin","participant":"0000000000002","step":"audio_only"}"#;
        let step = Some(LadderStep::AudioOnly);
        let read: FromPage = serde_json::from_str(pin).expect("a pin");
        assert_eq!(read, FromPage::Pin(Pin { participant: ParticipantId(2), step }));
    }
}
