//! A folder of this machine.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mizzen_sync_core::{Node, Plan, RelPath, RuleTexts, Rules};

use super::{Endpoint, EndpointError, Looked, TakeBack, TakenBack, Wake};
use crate::apply::{Applied, ApplyError, ApplyOptions, Contents, Durability, FromRoot, apply};
use crate::root::Root;
use crate::rule_source::{RuleSource, RulesError};
use crate::scan::{Dirty, Found, Links, Made, Scan, ScanOptions, scan, scan_watched};
use crate::settings::{FILE_SIZE_MAX, SETTINGS_FILE, SyncSettings};
use crate::trash::{CycleId, Past, Recall, Retention, Trash, TrashError};
use crate::watch::{WatchOptions, Watcher};

/// How often all is looked at where changes are not all told.
const POLL_EVERY: Duration = Duration::from_secs(10);

/// How often the trash is looked through while cycles fill it.
const PRUNE_EVERY: Duration = Duration::from_secs(60 * 60);

/// How a folder is looked at and written to.
#[derive(Clone, Debug)]
pub struct LocalOptions {
    /// Larger files are problems.
    pub size_max: u64,
    /// What becomes of symbolic links.
    pub links: Links,
    /// Whether files are searched for keys and tokens.
    pub look_for_secrets: bool,
    /// What new entries are not allowed: bits as of `umask`.
    pub umask: u32,
    /// What survives a power cut.
    pub durability: Durability,
    /// Where what was seen is kept for the next process.
    pub memory: PathBuf,
    /// The time, in nanoseconds since 1970, by the clock that sets the times of files.
    pub now: fn() -> i64,
}

impl LocalOptions {
    /// As a project's settings say; `umask` is what new entries are not allowed.
    #[must_use]
    pub fn of(settings: &SyncSettings, umask: u32) -> Self {
        Self {
            size_max: settings.max_file_size.unwrap_or(FILE_SIZE_MAX),
            links: settings.symlinks.unwrap_or_default(),
            look_for_secrets: true,
            umask,
            durability: Durability::Data,
            memory: PathBuf::new(),
            now: crate::now,
        }
    }
}

/// What a folder's own files say that is carried.
struct OwnRules {
    source: RuleSource,
    /// Such files, as looks have come to them since.
    files: Vec<RelPath>,
    /// Whether one of them may have changed.
    may_differ: bool,
}

/// A folder, with its trash.
pub struct LocalEndpoint {
    root: Root,
    trash: Trash,
    options: LocalOptions,
    rules: Arc<Rules>,
    seen: Option<Scan>,
    /// What was made here since.
    made: Made,
    /// Whether what the last process saw was asked for.
    has_recalled: bool,
    /// Whether that is on disk which was seen last.
    is_kept: bool,
    watch: Option<(Watcher, Wake)>,
    /// What a look that failed did not come to.
    owed: Dirty,
    /// The same of files that rules come from.
    owes_rules: bool,
    /// What its own files say, once somebody has asked for that.
    own_rules: Option<OwnRules>,
    /// Whether the file system lets directories be moved, for all that is known.
    moves_whole: bool,
    /// Whether the disk is of a kind that may have one answer for all files to who may execute them.
    may_have_one_mode: bool,
    /// How long the trash keeps things, and when that was last seen to.
    pruned: Option<(Retention, i64)>,
}

impl LocalEndpoint {
    /// A folder, and the trash for what is displaced in it.
    #[must_use]
    pub fn new(root: Root, trash: Trash, options: LocalOptions) -> Self {
        let rules = Rules::new(&RuleTexts::default()).expect("BUG: no pattern is a bad one");
        Self {
            may_have_one_mode: root.handle().may_have_one_mode(),
            root,
            trash,
            options,
            rules: Arc::new(rules),
            seen: None,
            made: Made::default(),
            has_recalled: false,
            is_kept: false,
            watch: None,
            owed: Dirty::default(),
            owes_rules: false,
            own_rules: None,
            moves_whole: true,
            pruned: None,
        }
    }

    /// Removes from the trash what is not to be kept, now and from time to time.
    ///
    /// # Errors
    /// Something cannot be read or removed.
    pub fn prune(&mut self, retention: &Retention) -> Result<(), TrashError> {
        let now = (self.options.now)();
        self.pruned = Some((*retention, now));
        self.trash.prune(retention, now).map(drop)
    }

    fn prune_again(&mut self) {
        let Some((retention, last)) = self.pruned else {
            return;
        };
        let every = i64::try_from(PRUNE_EVERY.as_nanos()).unwrap_or(i64::MAX);
        if (self.options.now)().saturating_sub(last) >= every {
            // What cannot be removed now may be later.
            let _ = self.prune(&retention);
        }
    }

    /// What was seen last; the root may have gone before it was seen at all.
    fn last(&self) -> Result<&Scan, ApplyError> {
        self.seen.as_ref().ok_or_else(|| ApplyError {
            path: self.root.path().to_owned(),
            source: std::io::ErrorKind::NotFound.into(),
            applied: Box::default(),
        })
    }

    fn rules_anew(&mut self, profile: Option<&str>) -> Result<RuleTexts, EndpointError> {
        let found = RuleSource::new(self.root.path(), profile.map(str::to_owned), None);
        let searched = found.and_then(|mut source| source.search().map(|()| source));
        let source = searched.map_err(|error| self.no_rules(&error))?;
        let texts = source.texts.clone();
        self.own_rules = Some(OwnRules {
            source,
            files: Vec::new(),
            may_differ: false,
        });
        Ok(texts)
    }

    fn rules_again(&mut self, mut own: OwnRules) -> Result<Option<RuleTexts>, EndpointError> {
        let changed = match std::mem::take(&mut own.may_differ) {
            true => own.source.changed(&std::mem::take(&mut own.files)),
            false => Ok(None),
        };
        // Without them all is searched the next time.
        let changed = changed.map_err(|error| self.no_rules(&error))?;
        if let Some(texts) = &changed {
            own.source = own.source.now(texts.clone());
        }
        self.own_rules = Some(own);
        Ok(changed)
    }

    fn no_rules(&self, error: &RulesError) -> EndpointError {
        EndpointError::Place {
            path: self.root.path().to_owned(),
            source: std::io::Error::other(error.to_string()),
        }
    }

    fn watcher(&self, wake: &Wake) -> Result<Watcher, EndpointError> {
        let options = WatchOptions {
            rules: self.rules.clone(),
            poll_every: POLL_EVERY,
            watches_max: usize::MAX,
        };
        let wake = wake.clone();
        let started = Watcher::start(&self.root, &options, move || wake());
        started.map_err(|error| EndpointError::Place {
            path: error.path,
            source: error.source,
        })
    }

    /// A plan that says of old entries what was seen: where the disk has one answer for all files, others' were lent.
    fn as_seen<'p>(&self, plan: &'p Plan, seen: &Scan) -> Cow<'p, Plan> {
        let tree = seen.tree();
        if !(self.may_have_one_mode && tree.has_one_mode()) {
            return Cow::Borrowed(plan);
        }
        let mut plan = plan.clone();
        for change in &mut plan.changes {
            let seen = tree.get(&change.path);
            change.old = change
                .old
                .as_ref()
                .map(|old| old.with_modes_of([seen, None]));
        }
        Cow::Owned(plan)
    }

    fn scan(&self, dirty: &Dirty, agreed: Option<&Node>) -> Result<Found, EndpointError> {
        let options = ScanOptions {
            rules: &self.rules,
            size_max: self.options.size_max,
            links: self.options.links,
            look_for_secrets: self.options.look_for_secrets,
            now: self.options.now,
            made: &self.made,
            agreed,
        };
        let (root, seen) = (&self.root, self.seen.as_ref());
        let found = match &self.watch {
            Some((watcher, _)) => scan_watched(root, &options, seen, dirty, watcher),
            None => scan(root, &options, seen, dirty),
        };
        found.map_err(|error| EndpointError::Place {
            path: error.path,
            source: error.source,
        })
    }
}

impl Endpoint for LocalEndpoint {
    fn obey(&mut self, rules: &RuleTexts) -> Result<(), EndpointError> {
        self.rules = Arc::new(Rules::new(rules).map_err(EndpointError::Rule)?);
        if let Some((_, wake)) = self.watch.take() {
            self.watch(wake)?;
        }
        Ok(())
    }

    fn rules(
        &mut self,
        profile: Option<&str>,
        anew: bool,
    ) -> Result<Option<RuleTexts>, EndpointError> {
        match self.own_rules.take() {
            Some(own) if !anew => self.rules_again(own),
            _ => self.rules_anew(profile).map(Some),
        }
    }

    fn watch(&mut self, wake: Wake) -> Result<(), EndpointError> {
        self.watch = Some((self.watcher(&wake)?, wake));
        Ok(())
    }

    fn look(&mut self, dirty: &Dirty, base: Option<&Node>) -> Result<Looked, EndpointError> {
        self.owed.merge(dirty.clone());
        let mut looked = Looked {
            root: self.root.id(),
            ..Looked::default()
        };
        if let Some((watcher, _)) = &self.watch {
            let news = watcher.take();
            self.owed.merge(news.dirty);
            self.owes_rules |= news.rules;
        }
        if !self.root.stands() {
            return Ok(looked);
        }
        if !std::mem::replace(&mut self.has_recalled, true) {
            let options = &self.options;
            let searched = options.look_for_secrets;
            let kept = Scan::kept(&options.memory, &self.root, searched, base);
            self.is_kept = kept.is_some();
            if let Some((seen, made)) = kept {
                self.seen = Some(seen);
                self.made = made;
            }
        }
        if self.seen.is_none() || !self.owed.is_empty() {
            let found = self.scan(&self.owed, base)?;
            self.made.clear();
            looked.rules_changed = self.owes_rules || self.owed.has(SETTINGS_FILE.as_bytes());
            looked.rule_files = found.rule_files;
            if let Some(own) = &mut self.own_rules {
                own.files.extend(looked.rule_files.iter().cloned());
                own.may_differ |= looked.rules_changed;
            }
            self.owes_rules = false;
            self.owed = Dirty::default();
            looked.hashed = found.hashed;
            looked.withheld = found.withheld;
            let before = self.seen.replace(found.scan);
            let is_same = |now: &Scan| before.is_some_and(|before| now.is(&before));
            self.is_kept &= self.seen.as_ref().is_some_and(is_same);
        }
        let seen = self.seen.take().map(|seen| match base {
            Some(base) => seen.sharing(base),
            None => seen,
        });
        looked.tree = seen.as_ref().map(Scan::tree);
        looked.has_one_mode =
            self.may_have_one_mode && looked.tree.as_ref().is_some_and(Node::has_one_mode);
        let polling = self
            .watch
            .as_ref()
            .and_then(|(watcher, _)| watcher.polling());
        looked.polling = polling.map(|why| why.to_string());
        self.seen = seen;
        Ok(looked)
    }

    fn is_quiet(&self) -> bool {
        let watch = self.watch.as_ref();
        let is_told_nothing = watch.is_some_and(|(watcher, _)| watcher.is_quiet());
        self.seen.is_some() && self.owed.is_empty() && is_told_nothing
    }

    fn room(&self) -> Result<Option<u64>, EndpointError> {
        // What came before a cut is not to come any more, or gives way.
        let begun = self.trash.shelf(&self.root).bytes();
        let room = self.root.handle().room();
        Ok(room.map(|room| room.saturating_add(begun)))
    }

    fn apply(
        &mut self,
        cycle: CycleId,
        plan: &Plan,
        contents: &dyn Contents,
    ) -> Result<Applied, ApplyError> {
        let options = ApplyOptions {
            umask: self.options.umask,
            links: self.options.links,
            durability: self.options.durability,
            cycle,
            moves_whole: self.moves_whole,
        };
        let (root, trash, seen) = (&self.root, &self.trash, self.last()?);
        let plan = &*self.as_seen(plan, seen);
        let mut applied = apply(root, plan, seen, contents, trash, &options)?;
        self.is_kept &= applied.made.is_empty();
        self.made.extend(std::mem::take(&mut applied.made));
        self.moves_whole &= !applied.moves_nothing_whole;
        if applied.cycle.is_some() {
            self.prune_again();
        }
        Ok(applied)
    }

    fn contents(&self) -> Box<dyn Contents + '_> {
        Box::new(FromRoot(&self.root))
    }

    fn history(&mut self, recall: &Recall) -> Result<Vec<Past>, EndpointError> {
        Ok(self.trash.history(recall)?)
    }

    fn take_back(
        &mut self,
        cycle: CycleId,
        what: &TakeBack,
    ) -> Result<Option<TakenBack>, ApplyError> {
        let failed = |TrashError { path, source }| ApplyError {
            path,
            source,
            applied: Box::default(),
        };
        let undo = match what {
            TakeBack::Cycle(id) => self.trash.undo(*id, self.last()?),
            TakeBack::Place(id, path) => self.trash.restore(path, *id, self.last()?),
        };
        let Some(undo) = undo.map_err(failed)? else {
            return Ok(None);
        };
        let contents = self.trash.contents(undo.id).map_err(failed)?;
        let applied = self.apply(cycle, &undo.plan, &contents)?;
        let refused = undo.refused;
        Ok(Some(TakenBack { applied, refused }))
    }

    fn rest(&mut self) {
        if let Some(seen) = self.seen.as_ref().filter(|_| !self.is_kept) {
            let options = &self.options;
            // Without it the next process reads all files.
            let (memory, searched) = (&options.memory, options.look_for_secrets);
            let kept = seen.keep(&self.made, memory, &self.root, searched);
            self.is_kept = kept.is_ok();
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicI64, Ordering};

    use mizzen_sync_core::Change;

    use super::*;

    static HOURS: AtomicI64 = AtomicI64::new(0);

    fn now() -> i64 {
        crate::now() + HOURS.load(Ordering::SeqCst) * 3_600_000_000_000
    }

    #[test]
    fn the_trash_of_a_link_that_goes_on_and_on_is_pruned_too() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("root")).unwrap();
        for name in ["a", "b", "c", "d"] {
            mizzen_fsx::write_atomic(at("root").join(name), name.as_bytes()).unwrap();
        }
        let root = Root::open(at("root")).unwrap();
        let trash = Trash::open(at("trash")).unwrap();
        let options = LocalOptions {
            size_max: 1 << 30,
            links: Links::Portable,
            look_for_secrets: false,
            umask: 0o022,
            durability: Durability::None,
            memory: at("seen"),
            now,
        };
        let mut endpoint = LocalEndpoint::new(root, trash, options);
        let hour = PRUNE_EVERY;
        endpoint
            .prune(&Retention {
                age: hour / 2,
                bytes: u64::MAX,
            })
            .unwrap();
        let mut remove = |name: &str| {
            let tree = endpoint.look(&Dirty::All, None).unwrap().tree.unwrap();
            let path = RelPath::new(name.as_bytes()).unwrap();
            let old = tree.get(&path).cloned();
            assert!(old.is_some());
            let change = Change {
                path,
                old,
                new: None,
            };
            let changes = vec![change];
            let nothing = Root::open(at("root")).unwrap();
            let contents = FromRoot(&nothing);
            let done = endpoint.apply(CycleId(now()), &Plan { changes }, &contents);
            assert_eq!(done.unwrap().done.len(), 1);
            fs::read_dir(at("trash")).unwrap().count()
        };
        // In the first hour nothing is looked through.
        assert_eq!(remove("a"), 1);
        assert_eq!(remove("b"), 2);
        HOURS.store(1, Ordering::SeqCst);
        assert_eq!(remove("c"), 1);
        assert_eq!(remove("d"), 2);
    }
}
