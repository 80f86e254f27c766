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

// explain adds the folder of the build to the error of a failed build, and the missing files that git ignores in the work tree.
func (b *build) explain(ctx context.Context, failed error) error {
	if ctx.Err() != nil {
		return failed
	}
	detail := strings.TrimLeft(b.toWorkTree(operr.DetailOf(failed))+"\nthe build used a copy of the sources, which is kept until the next build: "+b.root, "\n")
	lacks := b.lacks(ctx, failed.Error()+"\n"+operr.DetailOf(failed))
	if len(lacks) == 0 {
		return operr.New("", "%w", failed).WithDetail(detail)
	}
	next := `commit these files, or let the build create them; or, for builds and tests on this machine, add to [tool.release]: include = ["` + strings.Join(lacks, `", "`) + `"]`
	return operr.New(next, "%w: %s is in the work tree, but git ignores this path, so the build does not see it", failed, strings.Join(lacks, ", ")).WithDetail(detail)
}

// toWorkTree replaces paths in the clone with the corresponding paths in the work tree if both exist, because the user must fix the files there.
func (b *build) toWorkTree(text string) string {
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

// `lacks` returns the files or folders, relative to the workspace root, that `text` reports as missing and that exist in the work tree but are
// git-ignored.
func (b *build) lacks(ctx context.Context, text string) (lacks []string) {
	if b.repo == nil {
		return nil
	}
	ignored, err := overlay.Ignored(ctx, b.repo, []string{"."})
	if err != nil {
		return nil // the original error is more useful
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

// attribute matches the setting for reading a version from a module in setuptools. If setuptools cannot import the module, its error only
// mentions the package.
var attribute = regexp.MustCompile(`\battr\s*[=:]\s*["']?([\w.]+)\.\w+`)

// attributes returns the modules in which setuptools looks up attributes.
func (b *build) attributes() (modules []string) {
	for _, p := range b.packages {
		for _, name := range []string{manifest.PyprojectFile, setupConfig} {
			text, _ := beneath.Read(filepath.Join(b.root, filepath.FromSlash(p.SourceDir), name)) // a missing file has no attributes
			for _, m := range attribute.FindAllStringSubmatch(string(text), -1) {
				modules = append(modules, m[1])
			}
		}
	}
	return modules
}

// lacking returns `file` if it is in `names` and missing from the clone, or its outermost parent folder for which this is true, or "".
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
