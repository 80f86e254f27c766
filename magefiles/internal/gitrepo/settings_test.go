package gitrepo_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// mustNotMatter lists sets of user settings, one set per line. None of them may affect a release. DIR is replaced with a folder that contains a
// clone, its remote origin.git, and the files that the settings refer to.
const mustNotMatter = `
push.followTags=true
push.gpgSign=true
push.gpgSign=if-asked
push.default=matching
push.default=nothing
push.recurseSubmodules=only
push.pushOption=ci.skip
push.useForceIfIncludes=true push.negotiate=true push.autoSetupRemote=true
remote.pushDefault=elsewhere branch.main.pushRemote=elsewhere
remote.origin.mirror=true
remote.origin.push=+refs/heads/*:refs/heads/copies/*
remote.origin.pushurl=file://DIR/origin.git
remote.origin.tagOpt=--tags remote.origin.prune=true remote.origin.pruneTags=true
url.DIR/origin.git.insteadOf=DIR/nowhere
url.file://DIR/origin.git.pushInsteadOf=DIR/origin.git
blame.ignoreRevsFile=.nothing
blame.ignoreRevsFile=DIR/revs
blame.markIgnoredLines=true blame.showRoot=true blame.coloring=repeatedLines blame.date=relative blame.showEmail=true blame.blankBoundary=true
safe.bareRepository=explicit
core.quotePath=true
core.quotePath=false
log.showSignature=true
log.follow=true
log.showRoot=false log.date=relative log.decorate=full log.abbrevCommit=true log.mailmap=false
log.diffMerges=combined log.excludeDecoration=refs/tags/*
diff.external=false
diff.noprefix=true diff.mnemonicPrefix=true diff.relative=true
diff.renames=copies status.renames=copies
diff.ignoreSubmodules=all
diff.orderFile=DIR/order
diff.orderFile=DIR/nothing
diff.algorithm=histogram diff.context=0 diff.interHunkContext=9 diff.suppressBlankEmpty=true
status.showUntrackedFiles=no
status.relativePaths=false status.branch=true status.short=true status.showStash=true status.submoduleSummary=true
color.ui=always color.status=always color.branch=always color.diff=always
column.ui=always column.status=always column.tag=always
tag.sort=-version:refname versionsort.suffix=- branch.sort=-committerdate
fetch.prune=true fetch.pruneTags=true
fetch.parallel=4 fetch.recurseSubmodules=true fetch.writeCommitGraph=true fetch.output=compact
core.autocrlf=true
core.autocrlf=input
core.eol=crlf
core.safecrlf=true core.autocrlf=true
core.safecrlf=true core.autocrlf=input
core.attributesFile=DIR/attributes
core.fsmonitor=DIR/monitor
core.untrackedCache=true core.preloadIndex=false core.trustctime=false core.checkStat=minimal
core.splitIndex=true splitIndex.maxPercentChange=0 splitIndex.sharedIndexExpire=now
index.version=4 index.threads=1 feature.manyFiles=true
init.defaultBranch=trunk init.templateDir=DIR/template
clone.defaultRemoteName=upstream clone.rejectShallow=true
checkout.workers=4 checkout.thresholdForParallelism=1 checkout.defaultRemote=elsewhere checkout.guess=false
submodule.recurse=true submodule.propagateBranches=true
advice.statusHints=false advice.pushUpdateRejected=false advice.detachedHead=true
core.pager=false pager.status=true pager.tag=true pager.log=true pager.blame=true
format.pretty=fuller format.notes=true notes.displayRef=refs/notes/* core.notesRef=refs/notes/other
i18n.logOutputEncoding=ISO-8859-1
commit.verbose=true commit.status=true
commit.cleanup=scissors core.commentChar=c
commit.template=DIR/nothing
merge.conflictStyle=diff3 merge.renames=false merge.directoryRenames=true merge.renormalize=true merge.verifySignatures=true merge.ff=only
revert.reference=true
rerere.enabled=true rerere.autoUpdate=true
transfer.fsckObjects=true fetch.fsckObjects=true receive.fsckObjects=true
protocol.version=0
protocol.version=1
gc.auto=1 maintenance.auto=true gc.autoDetach=false
core.abbrev=4
core.ignoreStat=true
core.ignoreCase=true
core.precomposeUnicode=true core.fileMode=true
core.editor=false sequence.editor=false
trace2.normalTarget=DIR/trace trace2.eventTarget=DIR/trace.json
alias.status=!false alias.push=!false alias.rev-list=!false alias.commit=!false
uploadpack.allowFilter=true uploadpack.allowAnySHA1InWant=true receive.advertisePushOptions=true
pack.threads=1 pack.window=0 core.compression=0 core.bigFileThreshold=1
core.logAllRefUpdates=always core.warnAmbiguousRefs=true core.fsync=none
help.autoCorrect=immediate pull.rebase=true rebase.autoStash=true branch.autoSetupMerge=always branch.autoSetupRebase=always
apply.whitespace=fix core.whitespace=cr-at-eol grep.lineNumber=true mailmap.file=DIR/mailmap
`

// settingsWorld makes a folder with a clone in which the settings could have an effect: it has a file with CRLF line endings, file names that git
// quotes, a rename, a merge, and unrelated tags and branches.
func settingsWorld(t *testing.T) (string, command.Runner) {
	dir, run := gitrepotest.New(t)
	top := filepath.Join(filepath.Dir(dir), "world")
	git := func(args ...string) string { return gitrepotest.Git(t, run, dir, args...) }
	gitrepotest.Write(t, dir, "crlf.txt", "one\r\ntwo\r\n")
	gitrepotest.Write(t, dir, "ü/näme", "text\n")
	gitrepotest.Write(t, dir, "Upper", "x\n")
	git("add", "-A")
	git("commit", "-q", "-m", "feat: größer\n\nc is the first letter of this line")
	git("switch", "-q", "-c", "side")
	git("mv", "Upper", "ü/moved")
	git("commit", "-q", "-m", "fix: move")
	git("switch", "-q", "main")
	git("merge", "-q", "--no-ff", "-m", "a merge", "side")
	git("tag", "-a", "-m", "x", "kept-for-later")
	git("tag", "light")
	git("tag", "-a", "-m", "of a tag", "nested", "kept-for-later")
	git("notes", "add", "-m", "a note")
	require.NoError(t, os.Mkdir(top, 0o755))
	require.NoError(t, os.Rename(dir, filepath.Join(top, "clone")))
	bare := filepath.Join(top, "origin.git")
	gitrepotest.Git(t, run, top, "clone", "-q", "--bare", "--no-local", "--single-branch", "--no-tags", "clone", bare)
	gitrepotest.Git(t, run, bare, "config", "receive.advertisePushOptions", "false")
	for name, text := range map[string]string{
		"revs": "", "order": "ü/*\n", "attributes": "* text=auto eol=crlf\n", "mailmap": "b <b@example.invalid> <a@example.invalid>\n",
		"monitor": "#!/bin/sh\nprintf 'token\\0'\n", "template/hooks/post-checkout": "#!/bin/sh\necho ran > hooked\n", "template/hooks/reference-transaction": "#!/bin/sh\nexit 1\n",
	} {
		gitrepotest.Write(t, top, name, text)
		require.NoError(t, os.Chmod(filepath.Join(top, name), 0o755))
	}
	return top, run
}

// `seen` runs every git operation that a release uses. It returns git's results, and the remote's refs at the end.
func seen(t *testing.T, top string, run command.Runner, origin string) map[string]any {
	ctx, dir := t.Context(), filepath.Join(top, "clone")
	gitrepotest.Git(t, run, dir, "remote", "add", "origin", origin)
	all := map[string]any{}
	note := func(name string, value any, err error) {
		t.Helper()
		require.NoError(t, err, "%s: %+v", name, err)
		all[name] = value
	}
	repo, err := gitrepo.Open(ctx, run, dir)
	require.NoError(t, err, "%+v", err)
	head, err := repo.Head(ctx)
	note("head", head, err)
	if gitrepotest.Git(t, run, dir, "config", "--default=false", "core.ignoreStat") == "true" {
		gitrepotest.Git(t, run, dir, "update-index", "--assume-unchanged", "crlf.txt", "ü/näme", "sub/file") // a checkout with core.ignoreStat sets this flag
	}
	gitrepotest.Write(t, dir, "stray", "s\n")
	gitrepotest.Write(t, dir, "crlf.txt", "one\r\nthree\r\n")
	gitrepotest.Write(t, dir, "ü/näme", "new\n")
	gitrepotest.Write(t, dir, "added", "a\nb\n")
	changes, err := repo.Changes(ctx)
	note("changes", changes, err)
	changed, err := repo.Changed(ctx)
	note("changed", changed, err)
	log, err := repo.Log(ctx, "")
	note("log", log, err)
	tags, err := repo.MergedTags(ctx)
	note("merged tags", tags, err)
	untracked, err := repo.Untracked(ctx, []string{"ü/näme", "stray"})
	note("untracked", untracked, err)
	refs, err := gitremote.Read(ctx, repo, "origin")
	note("remote", refs, err)

	hash, err := repo.Commit(ctx, []string{"crlf.txt", "ü/näme", "added"}, "release: v1\n\nc\n# a line\n------------------------ >8 ------------------------\nend\n")
	note("commit", hash, err)
	require.NoError(t, repo.Tag(ctx, "v1", hash, "v1\n\nc\n"))
	touched, _, err := repo.Touched(ctx, "ü/moved")
	note("touched", touched, err)
	by, err := repo.LineOrigin(ctx, "HEAD", "ü/moved", 1)
	note("line", by, err)
	require.NoError(t, gitremote.Fetch(ctx, repo, "origin"))
	require.NoError(t, gitremote.Push(ctx, repo, "origin", hash, "main", "v1"))
	refs, err = gitremote.Read(ctx, repo, "origin")
	note("pushed", refs, err)
	on, err := repo.Contains(ctx, hash, head.Commit)
	note("contains", on, err)
	between, err := repo.ChangedBetween(ctx, head.Commit, hash)
	note("between", between, err)
	files, err := repo.FilesOf(ctx, hash)
	note("files of the commit", files, err)
	contents, err := repo.Contents(ctx, hash, "crlf.txt", "ü/näme", "not there")
	note("contents", contents, err)
	message, err := repo.MessageOf(ctx, hash)
	note("message", message, err)
	unpushed, err := repo.Unpushed(ctx, hash)
	note("unpushed", unpushed, err)
	ahead, err := repo.CountAhead(ctx, hash, "kept-for-later")
	note("ahead", ahead, err)

	require.NoError(t, gitclone.Borrow(ctx, repo, filepath.Join(top, "at"), hash))
	require.NoError(t, gitclone.Export(ctx, repo, hash, ".", filepath.Join(top, "export")))
	for _, name := range []string{"at", "export"} {
		require.NoError(t, os.RemoveAll(filepath.Join(top, name, ".git")))
		note(name, gitrepotest.Files(t, filepath.Join(top, name)), nil)
	}
	back, err := repo.Revert(ctx, hash)
	note("revert", back, err)
	require.NoError(t, gitremote.Unpush(ctx, repo, "origin", refs, back, "main", "v1"))
	require.NoError(t, repo.ResetTo(ctx, head.Commit))
	require.NoError(t, repo.Restore(ctx, []string{"crlf.txt"}))
	note("files", gitrepotest.Files(t, dir)["crlf.txt"], nil)
	return all
}

// Under each of the settings, and under all of them together, the same bytes are read, committed, tagged and pushed.
func TestSettingsThatHaveNoEffect(t *testing.T) {
	t.Parallel()
	world, run := settingsWorld(t)
	under := func(t *testing.T, lines ...string) string {
		top, err := os.MkdirTemp(filepath.Dir(world), "under") // t.TempDir would contain the test name, which has characters that are invalid in a settings key
		require.NoError(t, err)
		require.NoError(t, os.CopyFS(top, os.DirFS(world)))
		config, origin := filepath.Join(top, "config"), filepath.Join(top, "origin.git")
		var text strings.Builder
		for _, line := range lines {
			for setting := range strings.FieldsSeq(strings.ReplaceAll(line, "DIR", top)) {
				key, value, _ := strings.Cut(setting, "=")
				first, last := strings.Index(key, "."), strings.LastIndex(key, ".")
				fmt.Fprintf(&text, "[%s %q]\n%s = %q\n", key[:first], key[min(first+1, last):last], key[last+1:], value)
				if strings.HasSuffix(value, "/nowhere") {
					origin = value
				}
			}
		}
		require.NoError(t, os.WriteFile(config, []byte(strings.ReplaceAll(text.String(), ` ""]`, "]")), 0o644))
		data, err := json.MarshalIndent(seen(t, top, gitrepotest.With(run, "GIT_CONFIG_GLOBAL="+config), origin), "", " ")
		require.NoError(t, err)
		require.NoFileExists(t, filepath.Join(top, "at", "hooked"))
		return string(data) + "\n" + gitrepotest.Git(t, run, top, "--git-dir=origin.git", "for-each-ref")
	}
	want := under(t)
	require.Contains(t, want, "größer")
	lines := strings.Split(strings.TrimSpace(mustNotMatter), "\n")
	require.Greater(t, len(lines), 30)
	for _, line := range lines {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, under(t, line))
		})
	}
	t.Run("all together", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, want, under(t, lines...))
	})
}
