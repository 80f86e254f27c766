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
	goLine    = "1.26.0" // go version in our go.mod, which a module that imports us also needs
	magefiles = "magefiles"
)

// Place describes where the module that pins us is.
type Place struct {
	Dir   string // relative to the workspace root: "." or "magefiles"
	There bool   // whether its go.mod exists
	Work  bool   // whether a go.work in a parent folder would apply to the module
}

// Mage returns the command that runs mage from the workspace root.
func (p Place) Mage() string {
	if p.Dir == "." {
		return "go tool mage"
	}
	return "go -C " + p.Dir + " tool mage -d .."
}

// placeOf chooses the location of the module that pins us. It does not use an existing go.mod of the user: the import would raise its go version and
// its requirements, and its vendor folder would be inconsistent.
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

// requires matches our module and its version in a go.mod.
func requires() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(?:require)?\s*` + regexp.QuoteMeta(ourModule) + `\s+(v\S+)`)
}

// `above` reports whether the folder `dir`, or a parent up to `top`, has a file of that name.
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

// module plans the magefile and its module.
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
			p.Old = append(p.Old, mod+" requires foopack "+m[1]+", but this init is "+a.Version+": run `go -C "+operr.Word(place.Dir)+" get "+ourModule+"/magefiles/targets/...@"+a.Version+"`, and then `"+p.Mage+" ci:write`")
		}
		if len(c.why) == before {
			return nil
		}
	} else {
		if text == "" {
			text = "module " + moduleName(p, w, place) + "\n\ngo " + goLine + "\n"
		}
		if !strings.Contains(text, mages+"\n") { // the `tool` line, which has no version
			text += "\ntool " + mages + "\n"
		}
		text += "\nrequire " + ourModule + " " + a.Version + "\n"
	}
	if err := c.write(c.at(mod), text, "the module that pins foopack and Mage"); err != nil {
		return err
	}
	sum := c.at(path.Join(place.Dir, "go.sum"))
	if place.Work && place.Dir != "." {
		// Without this file, go would complain that the go.work in the parent folder does not list the module.
		if err := c.write(c.at(path.Join(place.Dir, "go.work")), "go "+goLine+"\n\nuse .\n", "lets go ignore the go.work of the parent folder"); err != nil {
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
		return operr.New("fix what go reports; if this machine needs a mirror or a proxy, set GOPROXY or HTTPS_PROXY", "nothing was written: go could not fetch the modules of %s: %w", mod, err).
			WithDetail(operr.DetailOf(err))
	}
	return nil
}

// refuseOwnImports returns an error if a magefile imports packages of the user's own module, which a separate module cannot import.
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
					return operr.New("remove these imports, or add a go.mod to magefiles that has a `replace` for "+string(m[1])+", and run this again",
						"magefiles/%s imports packages of %s, which a separate module cannot import, and init does not change your go.mod", filepath.Base(file), m[1])
				}
			}
		}
		if dir == top || dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// moduleName returns a module path: the repository's path on its server, or the workspace's name.
func moduleName(p *Plan, w *workspace.Workspace, place Place) string {
	name := notInChannels().ReplaceAllString(strings.ToLower(w.Manifest.Name), "-")
	if m := hosted().FindStringSubmatch(p.Found.Address); m != nil && strings.Contains(m[1], ".") {
		name = m[1] + "/" + m[2]
	}
	return path.Join(name, place.Dir)
}
