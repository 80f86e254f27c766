package sources

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/overlay"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// explain says of a build that failed where it was, and which file it lacks, where the work tree has it and git ignores it.
func (b *build) explain(ctx context.Context, failed error) error {
	if ctx.Err() != nil {
		return failed
	}
	detail := strings.TrimLeft(b.inWorkTree(operr.DetailOf(failed))+"\nit was built in a copy of the sources, which stays until the next build: "+b.root, "\n")
	lacks := b.lacks(ctx, failed.Error()+"\n"+operr.DetailOf(failed))
	if len(lacks) == 0 {
		return operr.New("", "%w", failed).WithDetail(detail)
	}
	next := `commit it; or have the build make it; or, for builds and tests on this machine, name it below [tool.release]: include = ["` + strings.Join(lacks, `", "`) + `"]`
	return operr.New(next, "%w: %s is in the work tree, but git ignores it, and a build sees what is committed, changed or new", failed, strings.Join(lacks, ", ")).WithDetail(detail)
}

// inWorkTree names files of the work tree where a text names copies of them that are there: there they can be corrected.
func (b *build) inWorkTree(text string) string {
	clones := []string{b.clone}
	if real, err := filepath.EvalSymlinks(b.clone); err == nil && real != b.clone {
		clones = append(clones, real)
	}
	for _, clone := range clones {
		named := regexp.MustCompile(regexp.QuoteMeta(clone) + `(/[^\s"'<>|:,;()\[\]]*)`)
		text = named.ReplaceAllStringFunc(text, func(file string) string {
			here := filepath.Join(b.top, strings.TrimPrefix(file, clone))
			if exists(here) && exists(file) {
				return here
			}
			return file
		})
	}
	return text
}

// lacks are the files, or folders, relative to the workspace's root, of whose absence a text speaks, which the work tree has, and
// which git ignores.
func (b *build) lacks(ctx context.Context, text string) (lacks []string) {
	if b.repo == nil {
		return nil
	}
	ignored, err := overlay.Ignored(ctx, b.repo, []string{"."})
	if err != nil {
		return nil // it is the first error that counts
	}
	names := absences(text)
	if strings.Contains(text, "in read_attr") {
		names = append(names, b.attributes()...)
	}
	for _, name := range ignored {
		file, err := filepath.Rel("/"+b.prefix, "/"+name)
		if err != nil || !filepath.IsLocal(file) || b.stays(name) || path.Ext(file) == ".pyc" {
			continue
		}
		if lacking := b.lacking(file, names); lacking != "" && !slices.Contains(lacks, lacking) {
			lacks = append(lacks, lacking)
		}
	}
	return lacks
}

// attribute is where setuptools finds a version: of a module that it cannot import it says only that the package is not there.
var attribute = regexp.MustCompile(`\battr\s*[=:]\s*["']?([\w.]+)\.\w+`)

// attributes are the modules that setuptools reads attributes of.
func (b *build) attributes() (modules []string) {
	for _, p := range b.packages {
		for _, name := range []string{manifest.PyprojectFile, setupConfig} {
			text, _ := beneath.Read(filepath.Join(b.root, filepath.FromSlash(p.SourceDir), name)) // one that is not there has none
			for _, m := range attribute.FindAllStringSubmatch(string(text), -1) {
				modules = append(modules, m[1])
			}
		}
	}
	return modules
}

// lacking is a file, or the outermost folder of it, that is named and is not in the clone; "" for none.
func (b *build) lacking(file string, names []string) (lacking string) {
	for name := file; name != "."; name = path.Dir(name) {
		at := filepath.Join(b.root, filepath.FromSlash(name))
		if exists(at) {
			break
		}
		if isNamed(at, names) {
			lacking = name
		}
	}
	return lacking
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return err == nil
}
