//! What every store of files promises, and what the folder does on a disk.

use minato_protocol::{Span, Timestamp};
use minato_signaling::blob::{BLOB_BYTES_MAX, BlobError, BlobId, BlobStore, Folder, MemoryBlobs};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use tempfile::TempDir;

const T0: Timestamp = Timestamp(1_790_000_000_000);
const ONE: BlobId = BlobId([1; 16]);
const TWO: BlobId = BlobId([2; 16]);

/// Both, each empty; the folder is gone with the first.
fn stores() -> (TempDir, Vec<Arc<dyn BlobStore>>) {
    let place = TempDir::new().expect("a place");
    let folder = Folder::open(place.path().join("photos")).expect("it opens");
    (place, vec![Arc::new(folder), Arc::new(MemoryBlobs::default())])
}

#[tokio::test]
async fn a_file_is_read_as_it_was_put_until_it_is_removed() {
    let (_place, stores) = stores();
    for store in stores {
        assert_eq!(store.read(ONE).await, Ok(None));
        store.put(ONE, b"one".to_vec(), T0).await.expect("kept");
        store.put(TWO, Vec::new(), T0).await.expect("kept");
        assert_eq!(store.read(ONE).await, Ok(Some(b"one".to_vec())));
        assert_eq!(store.read(TWO).await, Ok(Some(Vec::new())));
        store.put(ONE, b"again".to_vec(), T0).await.expect("it gives way");
        assert_eq!(store.read(ONE).await, Ok(Some(b"again".to_vec())));
        assert_eq!(store.remove_before(ONE, T0 + Span(1)).await, Ok(true));
        assert_eq!(store.read(ONE).await, Ok(None));
    }
}

#[tokio::test]
async fn what_was_kept_before_a_moment_is_told_and_what_was_kept_then_is_not() {
    let (_place, stores) = stores();
    for store in stores {
        store.put(ONE, b"one".to_vec(), T0).await.expect("kept");
        store.put(TWO, b"two".to_vec(), T0 + Span::seconds(1)).await.expect("kept");
        assert_eq!(store.kept_before(T0).await, Ok(vec![]));
        assert_eq!(store.kept_before(T0 + Span(1)).await, Ok(vec![ONE]));
        let mut all = store.kept_before(T0 + Span::seconds(2)).await.expect("told");
        all.sort_unstable();
        assert_eq!(all, [ONE, TWO]);
    }
}

#[tokio::test]
async fn the_first_bytes_of_a_file_are_read_alone() {
    let (_place, stores) = stores();
    for store in stores {
        assert_eq!(store.read_first(ONE, 2).await, Ok(None));
        store.put(ONE, b"one".to_vec(), T0).await.expect("kept");
        assert_eq!(store.read_first(ONE, 2).await, Ok(Some(b"on".to_vec())));
        assert_eq!(store.read_first(ONE, 20).await, Ok(Some(b"one".to_vec())));
    }
}

#[tokio::test]
async fn a_file_goes_only_while_it_is_as_old_as_was_thought() {
    let (_place, stores) = stores();
    for store in stores {
        store.put(ONE, b"one".to_vec(), T0).await.expect("kept");
        assert_eq!(store.remove_before(ONE, T0).await, Ok(false));
        assert_eq!(store.read(ONE).await, Ok(Some(b"one".to_vec())));
        assert_eq!(store.remove_before(ONE, T0 + Span(1)).await, Ok(true));
        assert_eq!(store.remove_before(ONE, T0 + Span(1)).await, Ok(false), "it is gone");
        assert_eq!(store.read(ONE).await, Ok(None));
    }
}

#[tokio::test]
async fn a_file_that_is_too_long_is_refused_whole() {
    let (_place, stores) = stores();
    for store in stores {
        let long = vec![0; BLOB_BYTES_MAX + 1];
        assert_eq!(store.put(ONE, long, T0).await, Err(BlobError::TooLong));
        assert_eq!(store.read(ONE).await, Ok(None));
    }
}

#[tokio::test]
async fn of_two_who_put_the_same_file_at_once_one_whole_file_stays() {
    let (_place, stores) = stores();
    for store in stores {
        let put = |byte: u8| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.put(ONE, vec![byte; 100_000], T0).await })
        };
        let puts: Vec<_> = (0..8).map(put).collect();
        for put in puts {
            put.await.expect("no panic").expect("kept");
        }
        let bytes = store.read(ONE).await.expect("readable").expect("there");
        assert!(bytes.len() == 100_000 && bytes.iter().all(|byte| *byte == bytes[0]));
    }
}

#[tokio::test]
async fn what_a_crash_left_unfinished_is_no_file_and_is_cleared_away_once_it_is_old() {
    let place = TempDir::new().expect("a place");
    let path = place.path().join("photos");
    let folder = Folder::open(path.clone()).expect("it opens");
    folder.put(ONE, b"whole".to_vec(), T0).await.expect("kept");
    let torn = path.join(format!("{TWO}.77-0.new"));
    fs::write(&torn, b"ha").expect("a torn file");
    let folder = Folder::open(path.clone()).expect("it opens again");
    assert_eq!(folder.read(ONE).await, Ok(Some(b"whole".to_vec())));
    assert_eq!(folder.read(TWO).await, Ok(None));
    assert_eq!(folder.kept_before(T0).await, Ok(vec![]));
    assert!(torn.exists(), "it may still be under way");
    let far = Timestamp(i64::MAX);
    assert_eq!(folder.kept_before(far).await, Ok(vec![ONE]));
    assert!(!torn.exists());
}

#[tokio::test]
async fn nobody_else_on_this_machine_reads_the_folder() {
    let place = TempDir::new().expect("a place");
    let path = place.path().join("photos");
    let folder = Folder::open(path.clone()).expect("it opens");
    folder.put(ONE, b"one".to_vec(), T0).await.expect("kept");
    let mode =
        |path: &std::path::Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&path.join(ONE.to_string()))), (0o700, 0o600));
}

#[tokio::test]
async fn a_folder_that_is_gone_is_an_error_and_not_an_empty_store() {
    let place = TempDir::new().expect("a place");
    let path = place.path().join("photos");
    let folder = Folder::open(path.clone()).expect("it opens");
    fs::remove_dir(&path).expect("gone");
    assert!(matches!(folder.put(ONE, vec![1], T0).await, Err(BlobError::Unavailable { .. })));
    assert!(matches!(folder.kept_before(T0).await, Err(BlobError::Unavailable { .. })));
}
