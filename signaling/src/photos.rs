//! Pictures of a device's display beside typed values: sealed with the person's key, kept as files,
//! named by an event of the person's stream.
//!
//! Law: **a reading never names a picture that is not there.** The file is durable before the event
//! that names it; a file that nothing names (cut off in between, or of somebody who was erased) is
//! swept away.

use crate::blob::{BlobError, BlobId, BlobStore};
use crate::desk::Desk;
use crate::log::StreamId;
use crate::readings::Readings;
use crate::subject::Command;
use crate::vault::{Vault, VaultError};
use minato_protocol::photo::{PHOTO_BYTES_MAX, PhotoId};
use minato_protocol::reading::{Hex, ReadingId};
use minato_protocol::{Code, Span, StaffId, SubjectId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore};

/// A file that nothing names is swept away after so long: the event that names it is written within
/// seconds.
const UNNAMED_LIFE: Span = Span::minutes(60);
/// Swept at the start and every so many rounds of a second.
const ROUNDS_A_SWEEP: u32 = 3_600;
/// Pictures on their way in at once, in memory each; the next one is told to come again.
const COMING_MAX: usize = 16;
/// As many of one session, which would otherwise keep everybody else out with slow ones.
const COMING_OF_ONE_MAX: usize = 2;
/// As many on their way out.
const GOING_MAX: usize = 32;
/// Begins every file, with the version of its format.
const MAGIC: &[u8] = b"MNTp\x01";
/// The beginning of a file: that, whose it is, and of which reading.
const HEAD_BYTES: usize = MAGIC.len() + 8 + 16;

/// What a picture is, told from its first bytes: no name and no header is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `image/jpeg`.
    Jpeg,
    /// `image/png`.
    Png,
    /// `image/webp`.
    Webp,
}

impl Kind {
    /// Nothing for what is no picture that pages show.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Self::Png),
            _ => is_webp.then_some(Self::Webp),
        }
    }

    /// As a header says it.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}

/// Whose a kept picture is, and of which reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Of {
    /// Whose.
    pub subject: SubjectId,
    /// Of which reading.
    pub reading: ReadingId,
}

/// A picture as it lies in the store.
#[derive(Debug)]
pub struct Sealed {
    /// Whose, and of what.
    pub of: Of,
    photo: PhotoId,
    bytes: Vec<u8>,
}

/// All pictures. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Photos {
    blobs: Arc<dyn BlobStore>,
    vault: Vault,
    coming: Arc<Semaphore>,
    coming_by_session: Arc<Mutex<BTreeMap<String, usize>>>,
    going: Arc<Semaphore>,
    /// Pictures are kept beside each other; none is while one is swept away, which may be the same.
    turn: Arc<RwLock<()>>,
}

/// A place for one picture on its way in; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct PlaceIn {
    session: String,
    coming_by_session: Arc<Mutex<BTreeMap<String, usize>>>,
    _place: OwnedSemaphorePermit,
}

impl Drop for PlaceIn {
    fn drop(&mut self) {
        let mut coming = self.coming_by_session.lock().unwrap_or_else(PoisonError::into_inner);
        let left = coming.remove(&self.session).unwrap_or_default().saturating_sub(1);
        if left > 0 {
            coming.insert(self.session.clone(), left);
        }
    }
}

impl Photos {
    /// Over a store of files, sealed with the log's keys.
    pub fn new(blobs: Arc<dyn BlobStore>, vault: Vault) -> Self {
        let (coming, going) = (Semaphore::new(COMING_MAX), Semaphore::new(GOING_MAX));
        let (coming, going) = (Arc::new(coming), Arc::new(going));
        let (coming_by_session, turn) = (Arc::default(), Arc::default());
        Self { blobs, vault, coming, coming_by_session, going, turn }
    }

    /// A place for one picture of a session on its way in. `Busy`: there is none.
    pub(crate) fn place_in(&self, session: &str) -> Result<PlaceIn, Code> {
        let mut coming = self.coming_by_session.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = coming.get(session).copied().unwrap_or_default();
        if of_one >= COMING_OF_ONE_MAX {
            return Err(Code::Busy);
        }
        let place = Arc::clone(&self.coming).try_acquire_owned().map_err(|_full| Code::Busy)?;
        coming.insert(session.to_owned(), of_one + 1);
        let coming_by_session = Arc::clone(&self.coming_by_session);
        Ok(PlaceIn { session: session.to_owned(), coming_by_session, _place: place })
    }

    /// A place for one on its way out. `Busy`: there is none.
    pub(crate) fn place_out(&self) -> Result<OwnedSemaphorePermit, Code> {
        Arc::clone(&self.going).try_acquire_owned().map_err(|_full| Code::Busy)
    }

    /// Keeps a picture beside a reading. Durable when it answers; the same one again is the same.
    /// `PhotoUnfit`: it is none; `PhotoEnough`: there are enough of this reading.
    pub(crate) async fn keep(
        &self,
        (desk, readings): (&Desk, &Readings),
        of: Of,
        by: Option<StaffId>,
        bytes: Vec<u8>,
    ) -> Result<PhotoId, Code> {
        if bytes.len() > PHOTO_BYTES_MAX {
            return Err(Code::TooLarge);
        }
        Kind::of(&bytes).ok_or(Code::PhotoUnfit)?;
        let photo = name_of(desk, of, &bytes);
        let stream = StreamId::subject(of.subject);
        let name = Command::NamePhoto { reading: of.reading, photo, by };
        let _turn = self.turn.read().await;
        // Asked before the file is written: what is refused leaves none.
        let seen = desk.subjects.see(&stream).await?;
        seen.state.may_name(of.reading, photo)?;
        self.put(desk, of, photo, bytes).await?;
        readings.note(desk, of.subject, None, name).await?;
        metrics::counter!("minato_photos_total").increment(1);
        Ok(photo)
    }

    async fn put(&self, desk: &Desk, of: Of, photo: PhotoId, bytes: Vec<u8>) -> Result<(), Code> {
        let vault = self.vault.clone();
        let seal = move || vault.seal_bytes(&context(photo, of), of.subject, bytes);
        let sealed = waiting(seal).await?.ok_or(Code::ReadingUnknown)?;
        let whole = [MAGIC, &of.subject.0.to_be_bytes(), &of.reading.0.0, &sealed].concat();
        self.blobs.put(blob(photo), whole, desk.clock.now()).await.map_err(|error| unkept(&error))
    }

    /// A picture, still sealed: who asks has to be let in first. `ReadingUnknown`: there is none.
    pub(crate) async fn find(&self, photo: PhotoId) -> Result<Sealed, Code> {
        let read = self.blobs.read(blob(photo)).await.map_err(|error| unkept(&error))?;
        let whole = read.ok_or(Code::ReadingUnknown)?;
        let (of, sealed) = parsed(&whole).ok_or(Code::ReadingUnknown)?;
        Ok(Sealed { of, photo, bytes: sealed.to_vec() })
    }

    /// Its bytes and what they are. `ReadingUnknown`: the person was erased.
    pub(crate) async fn open(&self, sealed: Sealed) -> Result<(Kind, Vec<u8>), Code> {
        let Sealed { of, photo, bytes } = sealed;
        let vault = self.vault.clone();
        let open = move || vault.open_bytes(&context(photo, of), of.subject, bytes);
        let bytes = waiting(open).await?.ok_or(Code::ReadingUnknown)?;
        let kind = Kind::of(&bytes).ok_or(Code::ReadingUnknown)?;
        Ok((kind, bytes))
    }

    /// Removes what nothing names. What cannot be read stays: a store that is away, or a stream that is
    /// damaged, is no reason to throw anything away. Answers how many went.
    pub async fn sweep(&self, desk: &Desk) -> Result<usize, Code> {
        let long_ago = desk.clock.now() - UNNAMED_LIFE;
        let kept = self.blobs.kept_before(long_ago).await.map_err(|error| unkept(&error))?;
        let mut swept = 0;
        for id in kept {
            let _turn = self.turn.write().await;
            match self.is_unnamed(desk, id).await {
                Ok(false) => {}
                Ok(true) => {
                    // Another node may have kept the same one anew, and be about to name it.
                    let went = self.blobs.remove_before(id, long_ago).await;
                    swept += usize::from(went.map_err(|error| unkept(&error))?);
                }
                Err(code) => tracing::warn!(?code, "a picture cannot be judged and stays"),
            }
        }
        Ok(swept)
    }

    async fn is_unnamed(&self, desk: &Desk, id: BlobId) -> Result<bool, Code> {
        let photo = PhotoId(Hex(id.0));
        let first = self.blobs.read_first(id, HEAD_BYTES).await.map_err(|error| unkept(&error))?;
        let Some((of, _)) = first.as_deref().and_then(parsed) else { return Ok(false) };
        let vault = self.vault.clone();
        if waiting(move || vault.is_erased(of.subject)).await? {
            return Ok(true);
        }
        let seen = desk.subjects.see(&StreamId::subject(of.subject)).await?;
        Ok(!seen.state.photos(of.reading).contains(&photo))
    }
}

/// Sweeps now and from time to time, until the task is dropped.
pub async fn sweep_always(desk: Arc<Desk>, photos: Photos) {
    let mut round: u32 = 0;
    loop {
        if round.is_multiple_of(ROUNDS_A_SWEEP) {
            match photos.sweep(&desk).await {
                Ok(0) => {}
                Ok(swept) => tracing::info!(swept, "pictures that nothing named are gone"),
                Err(code) => tracing::warn!(?code, "pictures are not swept for now"),
            }
        }
        desk.clock.tick().await;
        round = round.wrapping_add(1);
    }
}

/// Drawn from the picture with the node's secret: the same again has the same name.
fn name_of(desk: &Desk, of: Of, bytes: &[u8]) -> PhotoId {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let from = [&of.subject.0.to_be_bytes(), of.reading.0.0.as_slice(), digest.as_ref()].concat();
    let half = |which| desk.secrets.derive_id(which, &from).to_be_bytes();
    let mut id = [0; 16];
    id[..8].copy_from_slice(&half("photo"));
    id[8..].copy_from_slice(&half("photo, second half"));
    PhotoId(Hex(id))
}

const fn blob(photo: PhotoId) -> BlobId {
    BlobId(photo.0.0)
}

/// What a sealed picture cannot be moved away from.
fn context(photo: PhotoId, of: Of) -> Vec<u8> {
    [photo.0.0, of.reading.0.0].concat()
}

/// Whose a file is, and what is sealed in it.
fn parsed(whole: &[u8]) -> Option<(Of, &[u8])> {
    let rest = whole.strip_prefix(MAGIC)?;
    let (subject, rest) = rest.split_first_chunk::<8>()?;
    let (reading, sealed) = rest.split_first_chunk::<16>()?;
    let subject = SubjectId(u64::from_be_bytes(*subject));
    Some((Of { subject, reading: ReadingId(Hex(*reading)) }, sealed))
}

/// The keys file may have to be asked.
async fn waiting<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, Code> {
    let asked = tokio::task::spawn_blocking(ask).await.map_err(|_ended| Code::Busy)?;
    asked.map_err(|error| {
        tracing::error!(%error, "a picture is not sealed or opened");
        Code::NotDurable
    })
}

fn unkept(error: &BlobError) -> Code {
    tracing::error!(%error, "a picture is not kept or found");
    Code::NotDurable
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::MemoryBlobs;

    #[test]
    fn one_session_takes_two_places_and_leaves_the_others_to_others() {
        let photos = Photos::new(Arc::new(MemoryBlobs::default()), Vault::in_memory());
        let two = [photos.place_in("a"), photos.place_in("a")];
        assert!(two.iter().all(Result::is_ok));
        assert_eq!(photos.place_in("a").err(), Some(Code::Busy));
        let other = photos.place_in("b");
        assert!(other.is_ok());
        drop(two);
        assert!(photos.place_in("a").is_ok());
    }

    #[test]
    fn a_picture_is_told_by_its_first_bytes() {
        let kind = |bytes: &[u8]| Kind::of(bytes).map(Kind::mime);
        assert_eq!(kind(b"\xFF\xD8\xFF\xE0"), Some("image/jpeg"));
        assert_eq!(kind(b"\x89PNG\r\n\x1A\n...."), Some("image/png"));
        assert_eq!(kind(b"RIFF\x04\0\0\0WEBPVP8 "), Some("image/webp"));
        let none: [&[u8]; 5] = [b"", b"GIF89a", b"<svg/>", b"RIFF\x04\0\0\0WAVE", b"\xFF\xD8"];
        for bytes in none {
            assert_eq!(kind(bytes), None);
        }
    }
}
