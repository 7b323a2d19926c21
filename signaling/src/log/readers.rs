//! Connections that only read, lent to blocking threads one question at a time.

use super::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Questions answered at the same time; the next ones wait for their turn.
const READERS_MAX: usize = 4;

#[derive(Debug, Clone)]
pub(super) struct Readers(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    path: PathBuf,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        let places = Arc::new(Semaphore::new(READERS_MAX));
        Self(Arc::new(Pool { path: path.to_owned(), places, idle: Mutex::default() }))
    }

    /// Runs a question on a blocking thread. Dropping the future does not stop it.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let pool = Arc::clone(&self.0);
        let place = Arc::clone(&pool.places).acquire_owned().await;
        let place = place.map_err(StoreError::unavailable)?;
        let answer = tokio::task::spawn_blocking(move || {
            let connection = pool.lend().map_err(StoreError::unavailable)?;
            let answer = question(&connection);
            pool.give_back(connection);
            drop(place);
            answer
        });
        answer.await.map_err(StoreError::unavailable)?
    }
}

impl Pool {
    fn lend(&self) -> rusqlite::Result<Connection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    }

    fn give_back(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}
