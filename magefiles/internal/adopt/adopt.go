// Package adopt sets up a pixi monorepo until its first rehearsal. It inspects the repository, plans the missing files, writes all of them or none,
// and rehearses a release in a clone in which these files are committed.
//
//	adopt.go       a run, from the inspection to the rehearsal
//	clone.go       the clone in which the plan is made and rehearsed
//	found.go       inspects the repository, for conflicts in its manifests and for what will not work
//	files.go       the planned files
//	magefile.go    a new magefile, or the import in an existing one
//	module.go      the module that pins us: its location, and how mage is called there
//	show.go        prints the plan and the next steps
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

// Request holds the user's options.
type Request struct {
	Dry        bool   // write nothing
	Pixi       bool   // add a task `mage` that depends on go
	NoRehearse bool   // end after writing the files
	Channel    string // the channel's name, if no manifest names one
}

// Adopter holds the environment of a run of init.
type Adopter struct {
	Runner  command.Runner
	Environ []string // environment of the go command, which may need credentials for a module proxy
	View    *view.View
	Dir     string // the folder in which init was started
	Version string // version of our module that the repository should use
	Confirm func(ctx context.Context, question string) error
}

// Plan holds the planned changes. It is made in a clone, so that the repository is not changed.
type Plan struct {
	Found  *Found
	Files  []File
	There  []File         // files that an earlier run has written exactly as planned, but that are not committed
	Ours   []ciwrite.File // all our workflow files, including those that init does not change
	Old    []string       // sentences about outdated files, which init does not change
	Mage   string         // the command that runs mage: "go tool mage"
	clone  string         // root of the clone, which has all planned files
	folder string         // workspace folder in the clone
}

// File is a file to write.
type File struct {
	Path     string // relative to the repository root, with slashes
	Old, New []byte // Old is nil for a new file
	Why      string
}

// journalName is the name of the file in our folder below the git directory from which a killed init is undone.
const journalName = "init.journal"

// ownVersion matches a version that can be used in a go.mod: a tag of major version 0 or 1, or a commit's pseudo-version. It does not match a build
// from a modified work tree, whose version has a suffix.
var ownVersion = regexp.MustCompile(`^v[01]\.\d+\.\d+[-.0-9a-z]*$`)

// Run inspects the repository, plans the missing files, shows the plan, asks for confirmation, writes the files, and rehearses a release.
func (a Adopter) Run(ctx context.Context, r Request) (err error) {
	if !ownVersion.MatchString(a.Version) {
		return operr.New("start init with `go run "+ourModule+"/magefiles/init@main`", "this init was built in a checkout (%s), so it has no version that a go.mod can name", a.Version)
	}
	w, err := workspace.Load(a.Dir)
	if above := (*workspace.AboveError)(nil); errors.As(err, &above) {
		return operr.New("`cd "+operr.Word(above.Folder)+"`, and run init again", "%w", err) // mage is not set up yet, so there is no -d flag
	}
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
	if r.Dry { // the plan may have read files that another init was writing
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
			return nil
		}
		a.View.Next("`%s rehearse`", p.Mage)
		return nil
	case r.Dry:
		a.View.Line("Nothing was written: this was -dry.")
		a.View.Next("run init without -dry: init asks before it writes")
		return nil
	}
	if err := a.Confirm(ctx, fmt.Sprintf("Write %s?", operr.Count(len(p.Files), "file"))); err != nil {
		return err
	}
	if err := write(repo.Top, journal, p.Files); err != nil {
		return err
	}
	a.View.Line("Written: %s.", operr.Count(len(p.Files), "file"))
	if !r.NoRehearse {
		a.View.Heading("\nRehearsing a release in a clone in which these files are committed: %s rehearse", p.Mage)
		a.View.Text("The clone and its report are deleted after the rehearsal. The steps before a release are listed after that.")
		if err := a.rehearse(ctx, p); err != nil {
			return notRehearsed(ctx, p, err)
		}
	}
	p.ShowNext(a.View)
	return nil
}

// busy returns the error for when another init is writing files.
func busy(err error) error {
	return operr.NewStopped("wait until the other init has ended, and run this again", "another init is writing files in this repository: %w", err)
}

// takeBack undoes the changes of a killed init, and reports that. In a dry run it changes nothing, and returns an error.
func (a Adopter) takeBack(top, journal string, dry bool) error {
	if _, err := os.Lstat(journal); err == nil && dry {
		writing, err := atomicfile.Busy(journal)
		switch {
		case err != nil:
			return err
		case writing:
			return busy(atomicfile.ErrBusy)
		}
		return operr.NewStopped("run init without -dry: init first undoes the earlier run", "an earlier init did not finish: it wrote only some of its files")
	}
	undone, err := atomicfile.Undo(top, journal)
	if errors.Is(err, atomicfile.ErrBusy) {
		return busy(err)
	}
	if err != nil {
		return operr.New("look at `git status`, restore the files that you did not change with `git restore FILE`, and remove "+journal, "undoing an earlier init that did not finish: %w", err)
	}
	if undone.Files > 0 {
		a.View.Say("an earlier init did not finish, and was undone: %s", operr.Count(len(undone.Changed), "file"))
	}
	if len(undone.Foreign) > 0 {
		a.View.Say("not undone, because you edited these files since: %s", strings.Join(undone.Foreign, ", "))
	}
	return nil
}

// notRehearsed returns the error of a rehearsal that failed or was interrupted. The written files are kept.
func notRehearsed(ctx context.Context, p *Plan, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return operr.New("commit the written files, then run `"+p.Mage+" rehearse`. "+undo(p), "%w", cause).WithWayOn()
	}
	next := cmp.Or(operr.NextOf(err), "fix the problem, commit, and run `"+p.Mage+" rehearse` again")
	return operr.New(next+". The written files stay. "+undo(p), "rehearsing the release: %w", err)
}

// undo returns a sentence about how to remove the written files.
func undo(p *Plan) string {
	var changed, added []string
	for _, f := range p.Files {
		if f.Old == nil {
			added = append(added, f.Path)
		} else {
			changed = append(changed, f.Path)
		}
	}
	text := "To remove these files: `rm " + operr.Words(added) + "`"
	if len(changed) > 0 {
		text += " and `git restore " + operr.Words(changed) + "`"
	}
	return text
}

// write writes all files or none. If the process is killed, new empty folders remain, which git ignores.
func write(top, journal string, files []File) error {
	var changes []atomicfile.Change
	for _, f := range files {
		if err := makeFolders(top, filepath.Dir(filepath.FromSlash(f.Path))); err != nil {
			return operr.New("fix the cause, and run this again", "%s cannot be written, so nothing was written: %w", f.Path, err)
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
		return operr.New("commit your changes, and run this again", "nothing was written: a file changed after init read it, or has uncommitted changes: %w", err)
	}
	return err
}

// makeFolders creates the folder `dir` below `top`, with its parents. It returns an error if one of these folders is a symbolic link.
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
