//! What crosses the admin socket: one line of JSON each way.

use minato_protocol::view::Clinic;
use minato_protocol::{Code, GatewayId, Role, StaffId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an operator wants.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    CreateAccount {
        account: String,
        role: Role,
        name: String,
        affiliation: String,
        site: Option<u64>,
        password: Secret,
        pin: Option<Secret>,
    },
    ListAccounts,
    /// Out: every session of theirs ends at once.
    SetEnabled {
        account: String,
        enabled: bool,
    },
    SetClinic {
        clinic: Clinic,
    },
    OpenSite {
        name: String,
        hospital: String,
        clinic: Option<Clinic>,
    },
    /// What is left out stays.
    ChangeSite {
        site: u64,
        name: Option<String>,
        hospital: Option<String>,
        clinic: Option<Clinic>,
    },
    ListSites,
    ExpectGateway {
        site: u64,
    },
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(super) enum Answer {
    Done,
    /// `authenticator` is the address that an authenticator reads, shown here and never again.
    AccountCreated {
        account: String,
        staff: StaffId,
        authenticator: Secret,
    },
    Accounts {
        accounts: Vec<AccountRow>,
    },
    SiteOpened {
        site: u64,
    },
    Sites {
        clinic: Option<Clinic>,
        sites: Vec<SiteRow>,
    },
    GatewayExpected {
        gateway: GatewayId,
        code: Secret,
    },
    /// Nothing changed. `field` says what to correct.
    Refused {
        code: Code,
        message: String,
        field: Option<String>,
    },
}

impl Answer {
    pub(super) fn refused(code: Code) -> Self {
        Self::Refused { code, message: code.sentence().to_owned(), field: None }
    }

    pub(super) fn field_wrong(field: &str) -> Self {
        let code = Code::FieldWrong;
        let message = format!("{field} is missing, too short or too long, or does not belong here");
        Self::Refused { code, message, field: Some(field.to_owned()) }
    }
}

impl From<Code> for Answer {
    fn from(code: Code) -> Self {
        Self::refused(code)
    }
}

/// An account as an operator sees it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AccountRow {
    pub(super) account: String,
    pub(super) role: Role,
    pub(super) name: String,
    pub(super) affiliation: String,
    pub(super) site: Option<u64>,
    pub(super) disabled: bool,
}

/// A site as an operator sees it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SiteRow {
    pub(super) site: u64,
    pub(super) name: String,
    pub(super) hospital: String,
    pub(super) clinic: Clinic,
}

/// Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_with_an_unknown_word_is_not_understood() {
        let good = r#"{"do":"expect_gateway","site":1}"#;
        assert!(serde_json::from_str::<Request>(good).is_ok());
        for bad in [
            r#"{"do":"expect_gateway","site":1,"sites":2}"#,
            r#"{"do":"expect_gateway"}"#,
            r#"{"do":"expect"}"#,
            r#"{"do":"set_enabled","account":"abe","enabled":"no"}"#,
            "[]",
            "",
        ] {
            assert!(serde_json::from_str::<Request>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_request_shows_no_secret_by_debug() {
        let request = r#"{"do":"create_account","account":"abe","role":"doctor","name":"n",
            "affiliation":"a","site":null,"password":"kamome-kamome","pin":"2468"}"#;
        let request: Request = serde_json::from_str(request).expect("understood");
        let shown = format!("{request:?}");
        assert!(!shown.contains("kamome") && !shown.contains("2468"), "{shown}");
    }
}
