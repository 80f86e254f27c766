// Package adopt takes a pixi monorepo to its first rehearsal: it finds what is there, plans the files that are missing, writes all of them or none,
// and rehearses a release of a clone in which they are committed.
//
//	adopt.go       a run, from the first look to the rehearsal
//	clone.go       the clone in which the plan is made, and which is rehearsed
//	found.go       what a repository has, what in it disagrees, and what will not work
//	files.go       the files that are planned
//	magefile.go    a magefile, or the import in one that is there
//	module.go      the module that pins us: its place, and how mage is called by it
//	show.go        what a person is shown
package adopt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/ciwrite"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Request is what a person asks for.
type Request struct {
	Dry        bool   // nothing is written
	Pixi       bool   // a task `mage` is added, with go as its dependency
	NoRehearse bool   // it ends with what was written
	Channel    string // the channel's name, where the manifests name none
}

// Adopter is what a run works with.
type Adopter struct {
	Runner  command.Runner
	Environ []string // of the go command, which may need credentials for a proxy of modules
	View    *view.View
	Dir     string // where it was started
	Version string // of our module, which the repository is to use
	Confirm func(ctx context.Context, question string) error
}

// Plan is what would be done. It is made in a clone, and nothing is written to the repository.
type Plan struct {
	Found  *Found
	Files  []File
	There  []File         // those that an earlier run has written as they are planned, and that are not committed
	Ours   []ciwrite.File // the workflow files, with those that are left alone
	Old    []string       // sentences: what is older than it could be, and stays
	Mage   string         // how mage is called: "go tool mage"
	clone  string         // the top of the clone, in which all of it is there
	folder string         // of the workspace, in the clone
}

// File is one that is written.
type File struct {
	Path     string // from the repository's top, with slashes
	Old, New []byte // Old is nil for one that is not there
	Why      string
}

// journalName is the file, in the clone's folder of ours, from which what was killed half-way is taken back.
const journalName = "init.journal"

// ownVersion is one that go gave this program: a tag of major version 0 or 1, or a commit, of which the tags of later ones make no other. What was
// built in a work tree with edits has a mark.
var ownVersion = regexp.MustCompile(`^v[01]\.\d+\.\d+[-.0-9a-z]*$`)

// Run finds, plans, shows, asks, writes and rehearses.
func (a Adopter) Run(ctx context.Context, r Request) (err error) {
	if !ownVersion.MatchString(a.Version) {
		return operr.New("start it by `go run "+ourModule+"/magefiles/init@main`", "this init was built in a checkout (%s), and has no version that a go.mod could name", a.Version)
	}
	w, err := workspace.Load(a.Dir)
	if err != nil {
		return err
	}
	if err := w.NoPackages(); err != nil {
		return err
	}
	repo, err := gitrepo.Open(ctx, a.Runner, w.Root)
	if err != nil {
		return err
	}
	journal := filepath.Join(repo.Dir, folders.State, journalName)
	if err := a.takeBack(repo.Top, journal, r.Dry); err != nil {
		return err
	}
	tmp, remove, err := scratch.Make("", "adopt-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	p, err := a.plan(ctx, w, repo, r, tmp)
	if r.Dry { // what it has read may be half of what another init has begun to write meanwhile
		err = cmp.Or(a.takeBack(repo.Top, journal, r.Dry), err)
	}
	if err != nil {
		return err
	}
	p.Show(a.View)
	switch {
	case len(p.Files) == 0:
		a.View.Line("Nothing is missing, and nothing was changed.")
		if len(p.There) > 0 {
			p.ShowNext(a.View)
		}
		return nil
	case r.Dry:
		a.View.Line("Nothing was written: this was -dry.")
		return nil
	}
	if err := a.Confirm(ctx, fmt.Sprintf("write %s?", operr.Count(len(p.Files), "file"))); err != nil {
		return err
	}
	if err := write(repo.Top, journal, p.Files); err != nil {
		return err
	}
	a.View.Line("Written: %s.", operr.Count(len(p.Files), "file"))
	if !r.NoRehearse {
		a.View.Heading("\nA rehearsal of a clone in which they are committed: %s rehearse", p.Mage)
		if err := a.rehearse(ctx, p); err != nil {
			return operr.New("correct what it says; the files stay, and `"+p.Mage+" rehearse` rehearses again once they are committed. "+undo(p), "the rehearsal: %w", err)
		}
		a.View.Line("The clone is removed now, and its report with it. What comes before a release stands below.")
	}
	p.ShowNext(a.View)
	return nil
}

// busy says that another init is at it.
func busy(err error) error {
	return operr.NewStopped("wait until it has ended", "another init is writing its files here: %w", err)
}

// takeBack takes back what an init has written that was killed on its way, and says so. A dry run only says it.
func (a Adopter) takeBack(top, journal string, dry bool) error {
	if _, err := os.Lstat(journal); err == nil && dry {
		writing, err := atomicfile.Busy(journal)
		switch {
		case err != nil:
			return err
		case writing:
			return busy(atomicfile.ErrBusy)
		}
		return operr.NewStopped("run it without -dry: that is taken back first", "an init ended half-way here, and some of its files are written")
	}
	undone, err := atomicfile.Undo(top, journal)
	if errors.Is(err, atomicfile.ErrBusy) {
		return busy(err)
	}
	if err != nil {
		return operr.New("see `git status`, and `git restore` what is not yours; then remove "+journal, "taking back an init that ended half-way: %w", err)
	}
	if undone.Files > 0 {
		a.View.Say("an init that ended half-way was taken back: %s", operr.Count(len(undone.Changed), "file"))
	}
	if len(undone.Foreign) > 0 {
		a.View.Say("left as you have edited them since: %s", strings.Join(undone.Foreign, ", "))
	}
	return nil
}

// undo says how to get rid of what was written.
func undo(p *Plan) string {
	var changed, added []string
	for _, f := range p.Files {
		if f.Old == nil {
			added = append(added, f.Path)
		} else {
			changed = append(changed, f.Path)
		}
	}
	text := "To be rid of them: `rm " + operr.Words(added) + "`"
	if len(changed) > 0 {
		text += " and `git restore " + operr.Words(changed) + "`"
	}
	return text
}

// write writes all files or none. Folders that it makes stay where it is killed: git knows none that is empty.
func write(top, journal string, files []File) error {
	var changes []atomicfile.Change
	for _, f := range files {
		if err := makeFolders(top, filepath.Dir(filepath.FromSlash(f.Path))); err != nil {
			return operr.New("correct it, and run this again", "%s cannot be written, and nothing was: %w", f.Path, err)
		}
		changes = append(changes, atomicfile.Change{
			Path: f.Path,
			Old:  f.Old,
			New:  f.New,
		})
	}
	err := atomicfile.ReplaceAll(top, journal, changes)
	if errors.Is(err, atomicfile.ErrBusy) {
		return busy(err)
	}
	if errors.Is(err, atomicfile.ErrChanged) {
		return operr.New("commit what is yours, and run this again", "nothing was written: a file has changed since it was looked at, or is not committed: %w", err)
	}
	return err
}

// makeFolders makes a folder below top, and those above it. One of them that is a link is refused.
func makeFolders(top, dir string) error {
	at := top
	for name := range strings.SplitSeq(filepath.ToSlash(dir), "/") {
		if name == "." {
			return nil
		}
		if err := beneath.NoLink(at, name); err != nil {
			return err
		}
		at = filepath.Join(at, name)
		if err := os.Mkdir(at, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}
