package adopt

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gomodule"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

const (
	ourModule = "github.com/foopack/foopack"
	mages     = "github.com/magefile/mage"
	goLine    = "1.26.0" // of our go.mod: what imports us has at least that
	magefiles = "magefiles"
)

// Place is where the module is that pins us.
type Place struct {
	Dir   string // from the workspace's root: "." or "magefiles"
	There bool   // its go.mod is there
	Work  bool   // a go.work further up would speak for it
}

// Mage is how mage is called from the workspace's root.
func (p Place) Mage() string {
	if p.Dir == "." {
		return "go tool mage"
	}
	return "go -C " + p.Dir + " tool mage -d .."
}

// placeOf decides where it is. A go.mod of a person's stays as it is: to be imported from there, we would raise its go line and the versions of what it
// requires, and its vendor folder would not fit any more.
func placeOf(top, root string) (Place, error) {
	for _, dir := range []string{".", magefiles} {
		text, err := beneath.Read(filepath.Join(root, dir, gomodule.File))
		if err == nil && requires().Match(text) {
			work, err := above(top, filepath.Join(root, dir), "go.work")
			return Place{Dir: dir, There: true, Work: work}, err
		}
		if err == nil && dir == magefiles {
			return Place{Dir: dir, There: true}, nil
		}
	}
	theirs, err := above(top, root, gomodule.File)
	if err != nil {
		return Place{}, err
	}
	work, err := above(top, root, "go.work")
	if err != nil || !theirs && !work {
		return Place{Dir: "."}, err
	}
	return Place{Dir: magefiles, Work: work}, nil
}

// requires finds us in a go.mod, and our version.
func requires() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(?:require)?\s*` + regexp.QuoteMeta(ourModule) + `\s+(v\S+)`)
}

// above reports whether a folder, or one above it up to top, has a file.
func above(top, dir, name string) (bool, error) {
	for {
		_, err := os.Stat(filepath.Join(dir, name))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return err == nil, err
		}
		if dir == top || dir == filepath.Dir(dir) {
			return false, nil
		}
		dir = filepath.Dir(dir)
	}
}

// module plans the magefile and the module that it is in.
func (a Adopter) module(ctx context.Context, c *changes, place Place, p *Plan, w *workspace.Workspace) error {
	before := len(c.why)
	if err := c.magefile(p, w); err != nil {
		return err
	}
	if place.Dir == magefiles && !place.There {
		if err := refuseOwnImports(p.clone, p.folder); err != nil {
			return err
		}
	}
	mod := path.Join(place.Dir, gomodule.File)
	text, err := c.read(mod)
	if err != nil {
		return err
	}
	if m := requires().FindStringSubmatch(text); m != nil {
		if m[1] != a.Version {
			p.Old = append(p.Old, mod+" has foopack "+m[1]+", and this is "+a.Version+": `go -C "+operr.Word(place.Dir)+" get "+ourModule+"/magefiles/targets/...@"+a.Version+"`, and `"+p.Mage+" ci:write`")
		}
		if len(c.why) == before {
			return nil
		}
	} else {
		if text == "" {
			text = "module " + moduleName(p, w, place) + "\n\ngo " + goLine + "\n"
		}
		if !strings.Contains(text, mages+"\n") { // a line of tool, which has no version
			text += "\ntool " + mages + "\n"
		}
		text += "\nrequire " + ourModule + " " + a.Version + "\n"
	}
	if err := c.write(c.at(mod), text, "the module that pins foopack and Mage"); err != nil {
		return err
	}
	sum := c.at(path.Join(place.Dir, "go.sum"))
	if place.Work && place.Dir != "." {
		// Without it, go would take the module for one that is missing in the go.work further up.
		if err := c.write(c.at(path.Join(place.Dir, "go.work")), "go "+goLine+"\n\nuse .\n", "keeps the go.work further up as it is"); err != nil {
			return err
		}
	}
	if err := c.write(sum, "", "the digests of its modules"); err != nil {
		return err
	}
	err = a.Runner.Run(ctx, command.Cmd{
		Name: "go",
		Args: []string{"mod", "tidy"},
		Dir:  filepath.Join(p.folder, place.Dir),
		Env:  a.environ("GOWORK=off", "GOFLAGS=-mod=mod"),
	})
	if err != nil {
		return operr.New("see what go says; GOPROXY names a mirror of modules, and HTTPS_PROXY a proxy", "nothing was written: the modules of %s cannot be had: %w", mod, err).
			WithDetail(operr.DetailOf(err))
	}
	return nil
}

// refuseOwnImports refuses a magefile that imports packages of the person's module, which one of its own would not see.
func refuseOwnImports(top, root string) error {
	for dir := root; ; dir = filepath.Dir(dir) {
		mod, err := beneath.Read(filepath.Join(dir, gomodule.File))
		if m := regexp.MustCompile(`(?m)^module\s+(\S+)`).FindSubmatch(mod); err == nil && m != nil {
			files, err := filepath.Glob(filepath.Join(root, magefiles, "*.go"))
			if err != nil {
				return err
			}
			for _, file := range files {
				src, err := beneath.Read(file)
				if err != nil {
					return err
				}
				if strings.Contains(string(src), "\""+string(m[1])+"/") {
					return operr.New("let it import none of them, or give magefiles a go.mod of its own that has a `replace` for "+string(m[1])+", and run this again",
						"magefiles/%s imports packages of %s: in a module of its own it would not see them, and the go.mod of yours stays as it is", filepath.Base(file), m[1])
				}
			}
		}
		if dir == top || dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// moduleName is a path for the module: that of the repository, where its remote has one.
func moduleName(p *Plan, w *workspace.Workspace, place Place) string {
	name := notInChannels().ReplaceAllString(strings.ToLower(w.Manifest.Name), "-")
	if m := hosted().FindStringSubmatch(p.Found.Address); m != nil && strings.Contains(m[1], ".") {
		name = m[1] + "/" + m[2]
	}
	return path.Join(name, place.Dir)
}
