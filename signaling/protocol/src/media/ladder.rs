//! What a page is not given because its link is thin, and what a sender may spare itself.

use super::VideoWish;
use crate::ParticipantId;
use serde::{Deserialize, Serialize};

/// How much of a call reaches a page, from the least to all of it. Each step has everything of
/// the step before; numbers and text are on every step.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum LadderStep {
    /// Text and numbers; not even sound fits.
    TextOnly,
    /// Sound, and waves as far as they fit.
    AudioOnly,
    /// A still picture every few seconds.
    Stills,
    /// Moving pictures of the smallest size.
    Thumbnail,
    /// Moving pictures up to the half layer.
    Small,
    /// All that was wished.
    #[default]
    Full,
}

/// Why a page is not on the highest step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Cause {
    /// The link carries too little.
    Bandwidth,
    /// The link loses so much that sound needs the room twice, or pictures come broken.
    Loss,
    /// A doctor chose it.
    Pinned,
}

/// Which step a page is on, told only while something is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Reduced {
    /// The step.
    pub step: LadderStep,
    /// Why not a higher one.
    pub because: Cause,
}

/// What is kept back of one person, although that person sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum GivenUp {
    /// The picture is smaller than wished.
    Size,
    /// The moving picture; on [`LadderStep::Stills`] stills take its place.
    Picture,
    /// Sound and picture.
    Sound,
    /// The picture: this page does not have its codec. No link would change that.
    Codec,
}

/// What of this page's own camera anybody needs now: more than that is sent in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Wanted {
    /// The largest layer anybody needs; smaller ones stay on.
    pub video: VideoWish,
    /// Somebody can only be given stills.
    pub stills: bool,
    /// What of it does not go out: [`GivenUp::Size`], or [`GivenUp::Picture`], in whose place stills
    /// go while [`Self::stills`] says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub given_up: Option<GivenUp>,
    /// That is for want of room on this page's own link. Otherwise the page sends less by itself,
    /// and the relay does not know why.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub own_link: bool,
}

impl Wanted {
    /// So much of a picture, for whom a link decides nothing.
    pub fn of(video: VideoWish) -> Self {
        Self { video, stills: false, given_up: None, own_link: false }
    }
}

/// How a page sends its voice, and how long it holds back the others'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct VoiceTerms {
    /// Longer packets of fewer bits: somebody's link has no room for the ordinary voice.
    pub lean: bool,
    /// Each packet repeats the one before it (RFC 2198).
    pub repeat: bool,
    /// Milliseconds for which sound is held before it is heard, so that what is repeated comes in
    /// time; 0 leaves it to the browser.
    pub hold_ms: u16,
}

impl VoiceTerms {
    /// Whether these are the terms of a good link, which need no word.
    pub fn are_ordinary(&self) -> bool {
        *self == Self::default()
    }
}

/// A doctor holds a page on a step, or lets it go again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Pin {
    /// Whose page.
    pub participant: ParticipantId,
    /// The step; nothing lets the link decide again.
    pub step: Option<LadderStep>,
}
