//! What an operator's commands share: the settings, and core opened beside a server that may run.

use crate::cli::Common;
use crate::config::{Settings, Sources};
use crate::failure::Failure;
use crate::installation::{IfAbsent, Installation, Opening};
use crate::logs;
use countersign_core::metrics::Metrics;
use countersign_model::clock::SystemClock;
use countersign_store::Access;
use std::sync::Arc;

/// The settings that are in force for a command; the log begins with them.
pub(crate) fn settings_of(common: Common) -> Result<Settings, Failure> {
    let config = common.place.config.clone();
    let settings = Settings::load(Sources::of_this_process(config, common.place.layer()))?;
    logs::begin(settings.log.as_deref().unwrap_or("warn"), settings.log_format)?;
    Ok(settings)
}

/// Runs what waits.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("the runtime does not start: {error}")))?;
    runtime.block_on(work)
}

/// How an operator's command opens core.
pub(crate) fn opening(access: Access, absent: IfAbsent) -> Opening {
    Opening { access, absent, clock: Arc::new(SystemClock), metrics: Metrics::default(), port: 0 }
}

/// Opens core beside a server that may run, does the work, and closes it again.
pub(crate) fn on_core<T>(
    common: Common,
    absent: IfAbsent,
    work: impl AsyncFnOnce(&Installation) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let settings = settings_of(common)?;
    block_on(async {
        let installation = Installation::open(&settings, opening(Access::Operate, absent)).await?;
        let done = work(&installation).await;
        installation.close().await;
        done
    })
}
