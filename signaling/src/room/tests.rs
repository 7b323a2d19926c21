//! The clinic's rules as sentences: given what happened, when somebody asks, then this.

mod adversarial;
mod claims;
mod coming_in;
mod graces;
mod hand_over;
mod order;
mod sequences;
mod support;
mod waits;
