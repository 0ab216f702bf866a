//! What the operator of the installation may, by the command line on its host.
//!
//! | module | is about |
//! |---|---|
//! | `accounts` | listing accounts, letting an owner back in, lifting locks |
//! | `access_keys` | the first AccessKey of an account |
//! | `restore` | what a restored backup must forget |
//! | `keys` | versions of the keys, and sealing anew what an old one has sealed |
//! | `clock` | the highest time seen, after a clock that ran ahead |
//! | `look` | what `doctor` asks of a database, also of one that does not open |

mod access_keys;
mod accounts;
mod clock;
mod keys;
mod look;
mod restore;

pub use accounts::{OwnerPassword, Whom};
pub use clock::{ClockReset, Stuck, StuckDevice};
pub use countersign_store::budgets::Locked;
pub use keys::{KeyState, KeyVersion, Resealed};
pub use look::{Look, look};
pub use restore::Restored;
