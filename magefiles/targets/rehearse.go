package targets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/rehearsal"
	"github.com/foopack/foopack/magefiles/internal/releasing"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Rehearse takes what is committed through a release in an embedded world, offline but for PyPI.
func Rehearse(ctx context.Context,
	to *string, // patch, minor, major, auto (from the commits), a, b, rc, dev, post, or a version; default: patch
	only *string, // one package, where versions are independent
	ranges *string, // raise: raise ranges that would not admit the new version
	publish *string, // here or ci, in place of [tool.release] publish
	keep *bool, // stay when it is through, with the world running, until Ctrl-C
	full *bool, // build and push the images too, to an embedded registry
	faults *int, // a seed: calls of the outside fail at random, and the release is killed and run again until it is through
	json *bool, // print one JSON object
) error {
	return inWorkspace(ctx, func(ctx context.Context, a *app, w *workspace.Workspace) error {
		return a.rehearse(ctx, w, rehearseFlags{
			bump:    bumpFlags{to: to, only: only, ranges: ranges},
			publish: orZero(publish),
			keep:    isSet(keep),
			full:    isSet(full),
			faults:  orZero(faults),
			json:    isSet(json),
		})
	})
}

type rehearseFlags struct {
	bump    bumpFlags
	publish string
	keep    bool
	full    bool
	faults  int
	json    bool
}

func (a *app) rehearse(ctx context.Context, w *workspace.Workspace, f rehearseFlags) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if err := a.checkOwn(ctx, w); err != nil {
		return err
	}
	if f.faults < 0 {
		return operr.NewUsage("say a number, such as -faults=1", "-faults=%d is no seed", f.faults)
	}
	req, err := f.bump.request()
	if err == nil {
		err = releasing.CheckPublisher(f.publish)
	}
	if err != nil {
		return err
	}
	looked := false
	return answer(a, f.json, func() (report rehearsal.Report, err error) {
		report, looked, err = a.takeThrough(ctx, w, f, req, program)
		return report, err
	}, func(report rehearsal.Report) {
		if !looked {
			a.reportRehearsal(report, filepath.Join(rehearsalDir(w), view.ReportPage))
		}
	})
}

// rehearsalDir is the folder of a rehearsal, and of its report.
func rehearsalDir(w *workspace.Workspace) string {
	return filepath.Join(w.Root, workspace.OutputDir, "rehearsal")
}

// takeThrough takes a release through an embedded world. looked says that a person has looked around in it, and has seen the report.
func (a *app) takeThrough(ctx context.Context, w *workspace.Workspace, f rehearseFlags, req bump.Request, program string) (report rehearsal.Report, looked bool, err error) {
	dir := rehearsalDir(w)
	inside := a.withTemporary(filepath.Join(dir, rehearsal.TemporaryDir))
	c := rehearsal.Config{
		Runner:   inside.runner,
		Environ:  inside.runner.Environ(),
		Program:  program,
		Root:     w.Root,
		Name:     w.Manifest.Name,
		Dir:      dir,
		Request:  bumping.WithChangelog(req, w.Root),
		Publish:  f.publish,
		Seed:     uint64(f.faults),
		Reporter: a.view,
		Out:      a.view.Out,
		Err:      a.view.Err,
		History:  bumping.HistoryOf,
		Tools:    inside.pick,
	}
	page := filepath.Join(dir, view.ReportPage)
	if f.keep {
		c.Keep = func(ctx context.Context, report rehearsal.Report, w *rehearsal.World, clone string) error {
			if err := view.WriteReport(dir, report.Page(), report); err != nil {
				return err
			}
			a.reportRehearsal(report, page)
			looked = true
			return a.lookAround(ctx, w, clone)
		}
	}
	if f.full {
		c.Images = func(ctx context.Context, w *workspace.Workspace, server, dir string, show func(string, func() (string, error)) error) (string, error) {
			_, why, err := inside.rehearseImages(ctx, w, server, dir, show)
			return why, err
		}
	}
	report, err = rehearsal.Run(ctx, c)
	if looked && ctx.Err() != nil {
		err = nil // Ctrl-C is how it ends
	}
	if (looked || ctx.Err() == nil) && report.Commit != "" { // it began, and was not stopped; all else in dir is swept by now
		err = errors.Join(err, view.WriteReport(dir, report.Page(), report))
	}
	return report, looked, err
}

func (a *app) reportRehearsal(report rehearsal.Report, page string) {
	by := "from here"
	if len(report.Jobs) > 0 {
		by = "by an embedded CI"
	}
	a.view.Heading("\n%s %s was rehearsed: %s published to an embedded channel %s, installed and imported",
		report.Workspace, report.Release, operr.Count(len(report.Packages), "package"), by)
	if report.Runs > 1 {
		a.view.Line("  through %s: %s, and faults for the rest", operr.Count(report.Runs, "run"), operr.Count(report.Kills, "kill"))
	}
	for _, p := range report.Packages {
		a.view.Line("  %s %s  %s  sha256 %s…", p.Name, p.Version, p.File, p.SHA256[:12])
	}
	a.view.Heading("Not rehearsed:")
	for _, m := range report.Missing {
		a.view.Line("  ○ %s: %s", m.What, m.Why)
	}
	a.view.Line("Report: %s", page)
}

// lookAround stays until Ctrl-C.
func (a *app) lookAround(ctx context.Context, w *rehearsal.World, clone string) error {
	a.view.Heading("\nThe world is running. Ctrl-C ends it, and removes it.")
	a.view.Table(nil, [][]string{
		{"the clone", clone, fmt.Sprintf("cd there; `git log`, `PREFIX_SERVER_URL=%s mage status`", w.Prefix.URL)},
		{"the remote", w.Remote, "git ls-remote " + w.Remote},
		{"prefix.dev", w.Prefix.URL, fmt.Sprintf("PREFIX_SERVER_URL=%s mage channel:show", w.Prefix.URL)},
		{"the channel", w.Prefix.URL + "/" + w.Channel, fmt.Sprintf("pixi search -c %s/%s '*'", w.Prefix.URL, w.Channel)},
		{"GitHub's API", w.API, fmt.Sprintf("curl %s/repos/%s/releases", w.API, w.Repository)},
	})
	<-ctx.Done()
	return nil
}
