package workflows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/standin"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Started lists the workflow files that a pushed branch triggers.
type Started struct {
	Files []string    // names of the files that run
	Left  [][2]string // files that GitHub would start, but that are not run here, each with the reason

	runs string // the texts of the files and of the files that they call
}

// OnPush returns which workflow files of the commit a pushed branch triggers. Files that `ci:write` did not write are listed but never run. It is an
// error if one of our files cannot be run.
func (c *CI) OnPush(ctx context.Context, e Event) (s Started, err error) {
	o, err := c.occurrence(ctx, e)
	if err != nil {
		return s, err
	}
	dir := filepath.Join(c.Dir, "started-"+e.Commit)
	defer os.RemoveAll(dir)
	if err := c.export(ctx, e.Commit, dir); err != nil {
		return s, err
	}
	files := os.DirFS(dir)
	paths, err := fs.Glob(files, Folder+"/*.y*ml")
	if err != nil {
		return s, err
	}
	for _, name := range paths {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return s, err
		}
		ours := bytes.HasPrefix(text, []byte(file.Written))
		w, err := file.Read(name, text)
		if err == nil {
			if starts, _ := w.Starts(o); !starts {
				continue
			}
		}
		switch {
		case !ours && err != nil:
			s.Left = append(s.Left, leave(name, "it was not written by `mage ci:write`, and cannot be read: "+firstLine(err)))
			continue
		case !ours:
			s.Left = append(s.Left, leave(name, "it was not written by `mage ci:write`; `mage ci:run "+operr.Word(path.Base(name))+"` runs it alone"))
			continue
		case err == nil:
			refused := runner.New(runner.Config{
				Files:   files,
				Actions: standin.With(c.StandIns),
			}).Check(w, runner.Event{
				Name: e.Name,
				Ref:  e.ref(),
			})
			err = errors.Join(append(w.Faults(), refused)...)
		}
		if err != nil {
			return s, operr.New("correct the file and commit the change, because a rehearsal runs the committed file", "%w", err)
		}
		s.Files = append(s.Files, path.Base(name))
		s.runs += withCalled(files, string(text), map[string]bool{})
	}
	return s, nil
}

func leave(name, why string) [2]string { return [2]string{path.Base(name), "because " + why} }

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

var calls = regexp.MustCompile(`\buses:\s*['"]?\./(\.github/workflows/[\w.-]+)`)

// withCalled returns the text of a file and of the files that it calls.
func withCalled(files fs.FS, text string, seen map[string]bool) string {
	for _, m := range calls.FindAllStringSubmatch(text, -1) {
		if called, err := fs.ReadFile(files, m[1]); err == nil && !seen[m[1]] {
			seen[m[1]] = true
			text += "\n" + withCalled(files, string(called), seen)
		}
	}
	return text
}

// Deploys reports whether a job of the files deploys to an environment.
func (s Started) Deploys(environment string) bool {
	return regexp.MustCompile(`\bdeploy:(?:to ['"]?|)` + regexp.QuoteMeta(environment) + `(?:[^\w.-]|$)`).MatchString(s.runs)
}

// Makes reports whether a job of the files makes the image of a downstream, which has a folder and a name.
func (s Started) Makes(dir, name string) bool {
	return slices.ContainsFunc([]string{"all", "(?:image|merge) ['\"]?" + regexp.QuoteMeta(dir), "(?:image|merge) ['\"]?" + regexp.QuoteMeta(name)}, func(what string) bool {
		return regexp.MustCompile(`\bdocker:` + what + `['"]?(?:\s|$)`).MatchString(s.runs)
	})
}

// String lists the files.
func (s Started) String() string {
	if len(s.Files) == 0 {
		return "no workflow file starts"
	}
	return fmt.Sprintf("%s: %s", operr.Count(len(s.Files), "workflow file"), strings.Join(s.Files, ", "))
}
