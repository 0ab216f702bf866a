//! The audit log as people read it: filtered and paged for administrators, one's own history for everybody, exported.

use crate::Countersign;
use crate::act::{Admitted, Deed};
use crate::actor::{Actor, Origin, SessionActor};
use crate::audit_chain::{AuditExport, ExportFormat};
use crate::authorise::{Action, Resource};
use crate::error::{Error, Refusal};
use countersign_model::Timestamp;
use countersign_model::audit::AuditEvent;
use countersign_model::ids::{AccountId, EventId};
use countersign_model::principal::Principal;
use countersign_store::{Tx, accounts, audit_chain, audit_search, principals};

use countersign_store::audit_search::{Bound, Found};

pub use countersign_store::audit_search::EventFilter;

/// How many entries a page has.
pub const PER_PAGE: usize = 50;
/// Up to so many entries are counted.
pub const COUNTED: i64 = 10_000;
/// So many entries are looked at for one page of a search.
pub const SEARCHED: i64 = 20_000;
/// One's own looks at pages are no history.
const LOOKS: &[Action] = &[Action::ViewOwnSecurity, Action::ViewOwnHistory];

/// From where a page goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cursor {
    /// With the latest entry.
    #[default]
    Latest,
    /// With the entries before this one.
    Before(EventId),
    /// With the entries next after this one.
    After(EventId),
}

/// A page of the log, the newest entry first.
#[derive(Debug)]
pub struct AuditPage {
    /// The entries.
    pub events: Vec<AuditEvent>,
    /// The cursor of the page with older entries, if there are any.
    pub older: Option<Cursor>,
    /// The cursor of the page with newer entries, if there may be any.
    pub newer: Option<Cursor>,
    /// Up to when the search has come, if it was not to the end: with the next cursor it goes on.
    pub searched_to: Option<Timestamp>,
    /// How many entries there are in this time, up to one more than [`COUNTED`]; not counted where that would take long.
    pub total: Option<i64>,
    /// How far the chain has come.
    pub chain: ChainState,
}

/// How far the chain of an account has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainState {
    /// Whether its head is as this server wrote it.
    pub is_intact: bool,
    /// How many entries have a number.
    pub chained: i64,
    /// Up to which number they are signed.
    pub signed: i64,
    /// When that was signed.
    pub signed_at: Option<Timestamp>,
}

/// A page of somebody's history, the newest entry first.
#[derive(Debug)]
pub struct HistoryPage {
    /// The entries.
    pub events: Vec<AuditEvent>,
    /// The cursor of the page with older entries, if there are any.
    pub older: Option<EventId>,
}

impl Countersign {
    /// A page of the account's log.
    pub async fn audit_log(
        &self,
        actor: &SessionActor,
        (filter, cursor): (EventFilter, Cursor),
        origin: &Origin,
    ) -> Result<AuditPage, Error> {
        let deed = Deed::on(actor, Action::ListAudit.code(), "");
        let this = self.clone();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<AuditPage, Error> {
            let (account, _) = admitted.oneself()?;
            admitted.may(Action::ListAudit, &Resource::Account(account.clone()))?;
            let PageAt { events, older, newer, searched_to } = page_at(tx, account, &filter, &cursor).await?;
            let total = if filter.is_by_time_alone() {
                Some(audit_search::count(tx, account, &filter, COUNTED + 1).await?)
            } else {
                None
            };
            let chain = this.chain_state(tx, account).await?;
            Ok(AuditPage { events, older, newer, searched_to, total, chain })
        };
        self.look(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// What a RAM user did, and what was done to him.
    pub async fn user_history(
        &self,
        actor: &SessionActor,
        name: &str,
        before: Option<EventId>,
        origin: &Origin,
    ) -> Result<HistoryPage, Error> {
        let deed = Deed::on(actor, Action::ListAudit.code(), name);
        let name = name.to_owned();
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<HistoryPage, Error> {
            let user = admitted.find_user(tx, &name, Action::ListAudit).await?;
            history(tx, &user, before.as_ref()).await
        };
        self.look(&Actor::Session(Box::new(actor.clone())), origin, deed, work).await
    }

    /// What one did oneself, and what was done to oneself. From where others did it is not told.
    pub async fn own_history(&self, actor: &SessionActor, before: Option<EventId>) -> Result<HistoryPage, Error> {
        let deed = Deed::own(actor, Action::ViewOwnHistory.code());
        let work = async move |tx: &mut Tx<'_>, admitted: &Admitted| -> Result<HistoryPage, Error> {
            admitted.may(Action::ViewOwnHistory, &Resource::Oneself)?;
            let (account, principal) = admitted.oneself()?;
            let oneself = principals::find(tx, account, principal).await?.ok_or(Refusal::NotLoggedOn)?;
            let mut page = history(tx, &oneself, before.as_ref()).await?;
            for event in page.events.iter_mut().filter(|event| event.actor.id != oneself.id.as_str()) {
                event.address = String::new();
                event.user_agent = String::new();
            }
            Ok(page)
        };
        self.look(&Actor::Session(Box::new(actor.clone())), &Origin::default(), deed, work).await
    }

    /// Begins an export of the account's log. It is written down, in the log itself.
    pub async fn export_audit_log(
        &self,
        actor: &SessionActor,
        filter: EventFilter,
        format: ExportFormat,
        origin: &Origin,
    ) -> Result<AuditExport, Error> {
        let actor = Actor::Session(Box::new(actor.clone()));
        self.begin_export(&actor, None, (filter, format), origin).await
    }

    /// As [`export_audit_log`](Self::export_audit_log), by the operator, of an account by its alias or id. What happened up
    /// to now is numbered first, the export itself with it; the server keeps the checkpoints that come of it.
    pub async fn export_audit_log_of(
        &self,
        account: &AccountId,
        filter: EventFilter,
        format: ExportFormat,
    ) -> Result<AuditExport, Error> {
        let origin = Origin::command_line();
        self.begin_export(&Actor::Operator, Some(account.clone()), (filter, format), &origin).await
    }

    /// The account of this alias or id, for the operator.
    pub async fn audited_account(&self, name: &str) -> Result<AccountId, Error> {
        let name = name.trim().to_ascii_lowercase();
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(Refusal::AccountNotFound.into());
        }
        let look = async move |tx: &mut Tx<'_>| -> Result<AccountId, Error> {
            Ok(accounts::find_by_name(tx, &name).await?.ok_or(Refusal::AccountNotFound)?.id)
        };
        self.inner.store.read(look).await
    }

    async fn begin_export(
        &self,
        actor: &Actor,
        account: Option<AccountId>,
        (filter, format): (EventFilter, ExportFormat),
        origin: &Origin,
    ) -> Result<AuditExport, Error> {
        let account = match (account, actor) {
            (Some(account), _) => account,
            (None, Actor::Session(session)) => session.account_id().clone(),
            (None, Actor::AccessKey(caller)) => caller.account_id().clone(),
            (None, Actor::Operator) => return Err(Refusal::AccountNotFound.into()),
        };
        let deed = Deed::in_account(account.clone(), Action::ExportAudit.code(), String::new());
        let (of, told) = (account.clone(), filter.clone());
        let work = async move |_: &mut Tx<'_>, admitted: &Admitted| -> Result<(), Error> {
            admitted.may(Action::ExportAudit, &Resource::Account(of.clone()))?;
            admitted.tell("format", format.as_str());
            tell_filter(admitted, &told);
            Ok(())
        };
        self.act(actor, origin, deed, work).await?;
        Ok(AuditExport::begin(self, account, filter, format))
    }

    async fn chain_state(&self, tx: &mut Tx<'_>, account: &AccountId) -> Result<ChainState, Error> {
        let Some(head) = audit_chain::find_head(tx, account).await? else {
            return Ok(ChainState { is_intact: true, chained: 0, signed: 0, signed_at: None });
        };
        Ok(ChainState {
            is_intact: self.is_proven(&head),
            chained: head.seq,
            signed: head.signed_seq,
            signed_at: (head.signed_seq > 0).then_some(head.signed_at),
        })
    }
}

fn tell_filter(admitted: &Admitted, filter: &EventFilter) {
    let all = EventFilter::default();
    if filter.from > all.from {
        admitted.tell("from", &filter.from.to_rfc3339());
    }
    if filter.until < all.until {
        admitted.tell("until", &filter.until.to_rfc3339());
    }
    for (key, value) in [
        ("action", filter.action.as_str()),
        ("outcome", filter.outcome.map_or("", |outcome| outcome.as_str())),
        ("user", filter.user.as_str()),
    ] {
        if !value.is_empty() {
            let value: String = value.chars().filter(|c| !c.is_control()).take(128).collect();
            admitted.tell(key, &value);
        }
    }
}

/// The entries of a page, and where it lies.
#[derive(Default)]
struct PageAt {
    events: Vec<AuditEvent>,
    older: Option<Cursor>,
    newer: Option<Cursor>,
    searched_to: Option<Timestamp>,
}

async fn page_at(tx: &mut Tx<'_>, account: &AccountId, filter: &EventFilter, cursor: &Cursor) -> Result<PageAt, Error> {
    // One more than the page has tells whether there is another page.
    let bound = Bound { given: i64::try_from(PER_PAGE + 1).unwrap_or(i64::MAX), looked_at: SEARCHED };
    if let Cursor::After(after) = cursor {
        let Found { mut events, reached } = audit_search::newer(tx, account, filter, after, bound).await?;
        let has_newer = events.len() > PER_PAGE;
        events.truncate(PER_PAGE);
        if events.len() == PER_PAGE || reached.is_some() {
            events.reverse();
            let older = Some(Cursor::Before(events.last().map_or_else(|| after.clone(), |event| event.id.clone())));
            let newest = has_newer.then(|| events.first().map(|event| event.id.clone())).flatten();
            let (searched_to, newer) = (reached.as_ref().map(EventId::time), newest.or(reached).map(Cursor::After));
            return Ok(PageAt { events, older, newer, searched_to });
        }
        // Less than a page: then it is the first one, and that is full.
    }
    let before = match cursor {
        Cursor::Before(id) => Some(id),
        Cursor::Latest | Cursor::After(_) => None,
    };
    let Found { mut events, reached } = audit_search::older(tx, account, filter, before, bound).await?;
    let has_older = events.len() > PER_PAGE;
    events.truncate(PER_PAGE);
    let oldest = has_older.then(|| events.last().map(|event| event.id.clone())).flatten();
    let newer = before.map(|before| Cursor::After(events.first().map_or(before, |event| &event.id).clone()));
    let (searched_to, older) = (reached.as_ref().map(EventId::time), oldest.or(reached).map(Cursor::Before));
    Ok(PageAt { events, older, newer, searched_to })
}

async fn history(tx: &mut Tx<'_>, principal: &Principal, before: Option<&EventId>) -> Result<HistoryPage, Error> {
    let limit = i64::try_from(PER_PAGE + 1).unwrap_or(i64::MAX);
    let person = (&principal.account_id, &principal.id);
    let mut events = audit_search::by_actor(tx, person, before, limit).await?;
    events.extend(audit_search::by_subject(tx, person, before, limit).await?);
    events.sort_by(|a, b| b.id.cmp(&a.id));
    let has_older = events.len() > PER_PAGE;
    events.truncate(PER_PAGE);
    let older = has_older.then(|| events.last().map(|event| event.id.clone())).flatten();
    events.retain(|event| !LOOKS.iter().any(|look| look.code() == event.action));
    Ok(HistoryPage { events, older })
}
