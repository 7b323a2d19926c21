//! Whole files under a person's key: what is too large for a field.

use super::{Kept, Vault, VaultError};
use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use minato_protocol::SubjectId;

impl Vault {
    /// Seals bytes with a subject's key, bound to the subject and to what `context` names: nonce (12) ‖
    /// AES-256-GCM ‖ tag (16). Nothing of somebody who was erased. May wait for the disk.
    pub fn seal_bytes(
        &self,
        context: &[u8],
        of: SubjectId,
        mut bytes: Vec<u8>,
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let Kept::Key(key) = self.key(of, true)? else { return Ok(None) };
        let nonce = key
            .seal_in_place_append_tag(Aad::from(binding(context, of)), &mut bytes)
            .map_err(|_| VaultError::Malformed { why: "the file is too long" })?;
        Ok(Some([nonce.as_ref().as_slice(), &bytes].concat()))
    }

    /// Opens what [`Vault::seal_bytes`] sealed for the same subject and context. Nothing once the
    /// person was erased.
    pub fn open_bytes(
        &self,
        context: &[u8],
        of: SubjectId,
        mut sealed: Vec<u8>,
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let Kept::Key(key) = self.key(of, false)? else { return Ok(None) };
        let mut opened = || {
            let (nonce, sealed) = sealed.split_at_mut_checked(NONCE_LEN)?;
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let plain = key.open_in_place(nonce, Aad::from(binding(context, of)), sealed).ok()?;
            Some(plain.to_vec())
        };
        opened().map(Some).ok_or(VaultError::Damaged { of })
    }

    /// Whether a subject was erased. May wait for the disk.
    pub fn is_erased(&self, of: SubjectId) -> Result<bool, VaultError> {
        match self.key(of, false) {
            Ok(Kept::Erased) => Ok(true),
            Ok(Kept::Key(_)) | Err(VaultError::KeyMissing { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Fields and files are never taken for each other.
fn binding(context: &[u8], of: SubjectId) -> Vec<u8> {
    [b"minato.blob.1".as_slice(), &of.0.to_be_bytes(), context].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SATO: SubjectId = SubjectId(1);
    const ITO: SubjectId = SubjectId(2);

    #[test]
    fn a_file_opens_for_its_person_and_place_and_for_no_other_and_not_after_erasure() {
        let vault = Vault::in_memory();
        let sealed = vault.seal_bytes(b"a", SATO, b"picture".to_vec()).expect("sealed");
        let sealed = sealed.expect("not erased");
        assert!(!sealed.windows(7).any(|part| part == b"picture"));
        let open = |context: &[u8], of, bytes: &[u8]| vault.open_bytes(context, of, bytes.to_vec());
        assert_eq!(open(b"a", SATO, &sealed), Ok(Some(b"picture".to_vec())));
        assert_eq!(open(b"b", SATO, &sealed), Err(VaultError::Damaged { of: SATO }));
        vault.seal_bytes(b"a", ITO, Vec::new()).expect("a key");
        assert_eq!(open(b"a", ITO, &sealed), Err(VaultError::Damaged { of: ITO }));
        assert_eq!(open(b"a", SATO, &sealed[..11]), Err(VaultError::Damaged { of: SATO }));
        vault.erase(SATO).expect("erased");
        assert_eq!(open(b"a", SATO, &sealed), Ok(None));
        assert_eq!(vault.seal_bytes(b"a", SATO, Vec::new()), Ok(None));
        assert_eq!((vault.is_erased(SATO), vault.is_erased(ITO)), (Ok(true), Ok(false)));
    }
}
