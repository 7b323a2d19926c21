//! Why something was refused: one stable code each, which the pages turn into a sentence.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $sentence:literal),+ $(,)?) => {
        /// A stable reason, written in snake case on every wire. A code is never renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        pub enum Code { $($(#[$doc])* $name),+ }

        impl Code {
            /// Every code, for the dictionaries' tests.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// An English sentence that a person can act on.
            pub const fn sentence(self) -> &'static str {
                match self { $(Code::$name => $sentence),+ }
            }
        }
    };
}

codes! {
    // The rules of the waiting room.
    TicketUnknown => "This ticket is not known in this room.",
    TicketOver => "This visit is already over.",
    NotWaiting => "This patient is not waiting now.",
    NotReady => "The nurse has not marked this patient ready yet.",
    NobodyCallable => "Nobody can be called right now.",
    AlreadyTaken => "Another doctor has just taken this patient.",
    DoctorBusy => "You already have a patient. Finish or hand over first.",
    DoctorOffDuty => "Go on duty in this room first.",
    DoctorNotNamed => "This patient was not told that this doctor may appear.",
    NurseBusy => "The nurse of this patient is in another call.",
    NotYours => "This patient is with another doctor.",
    StaleEpoch => "The list has changed since your screen was drawn. Look again.",
    NoOffer => "There is no hand-over waiting for you.",
    IntakeClosed => "This room takes nobody more in today.",
    RoomUnknown => "This room does not exist.",
    RoomFull => "This room is full. Please telephone the clinic.",
    // One consultation.
    VisitUnknown => "This visit does not exist.",
    VisitOver => "This visit has ended.",
    IdentityFirst => "Both sides confirm first who is who.",
    ConsentFirst => "Ask for consent first.",
    OrderUnknown => "This order does not exist.",
    ReadBackFirst => "Read the order back before marking it done.",
    Quarantined => "The readings of this visit are held back.",
    NotPresent => "You are not in this visit.",
    VisitFull => "Six are in this visit already.",
    // Coming in.
    SignInFirst => "Please sign in.",
    SignInWrong => "Name, password or code is not right.",
    NotAllowed => "You may not do this.",
    LinkUnknown => "This link is not valid. Please ask the clinic for a new one.",
    LinkExpired => "This link has expired. Please ask the clinic for a new one.",
    LinkRevoked => "This link was withdrawn. Please telephone the clinic.",
    LinkElsewhere => "This link is open on another device. The clinic has been asked to allow this one.",
    CodeWrong => "This number is not right or no longer valid.",
    PinWrong => "The PIN is not right.",
    TransferTooLate => "The visit has begun: ask the clinic to allow a second device.",
    // Devices.
    DeviceUnknown => "This device is not known at this site.",
    DeviceElsewhere => "This device is on another patient. Take it off there first.",
    ReadingUnknown => "This reading is not there, or is settled already.",
    IdentifiersWrong => "Code and birth date are not those of this patient.",
    ReasonFirst => "It is more than half an hour old: say why it is this patient's.",
    FrameRefused => "The device sent something that nobody can read.",
    PhotoUnfit => "This is no picture that can be kept: JPEG, PNG or WebP, at most 1.5 MB.",
    PhotoEnough => "There are enough pictures of this value.",
    GatewayAway => "The clinic box cannot be reached right now.",
    // A box on the clinic's own network.
    PassWrong => "This page's pass for the clinic box is not valid.",
    PassExpired => "This page's pass for the clinic box has expired.",
    PassElsewhere => "This page's pass is for the box of another site.",
    PassEnded => "This page's pass was withdrawn when it was signed out.",
    NotOnPass => "This patient is not on this page's pass for the clinic box.",
    OutcomeUnknown => "Not known yet whether this was done: look before pressing again.",
    // Home kits.
    KitUnknown => "This home kit is not known here, or was taken back.",
    KitElsewhere => "This link is in use on another device. Please ask the clinic for a new one.",
    RuleUnknown => "This rule does not stand any more.",
    KitsTooMany => "This site watches as many people at home as it can.",
    RulesTooMany => "This home kit has as many rules as it can keep. Take one away first.",
    // Setting the service up.
    ClinicFirst => "Say first which clinic is responsible.",
    HospitalFirst => "A site opens only with its receiving hospital and its telephone number.",
    SiteUnknown => "This site is not open.",
    AccountUnknown => "There is no account of this name.",
    NameTaken => "This name is taken.",
    // The wire and the service.
    TooMany => "Too many tries. Please wait a minute.",
    TooLarge => "The message is too large.",
    NotUnderstood => "The message was not understood.",
    VersionUnknown => "This page is too old or too new. Please reload it.",
    OriginForbidden => "This page may not speak to this service.",
    SlowReader => "The connection was too slow and is opened again.",
    KeyReused => "The same key came with another command.",
    NotDurable => "Not saved: the service cannot store right now. Nothing was changed.",
    Busy => "The service is busy. Please try again.",
    RelayAway => "No relay can carry the call right now. Use the telephone.",
    FieldWrong => "A field is missing or too long.",
}
