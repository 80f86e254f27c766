package sources

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// explain says of a build that failed which file it lacks, where the work tree has it and git ignores it.
func (s *Sources) explain(ctx context.Context, root string, packages []*workspace.Package, failed error) error {
	if s.repo == nil || ctx.Err() != nil {
		return failed
	}
	var folders []string
	for _, p := range packages {
		folders = append(folders, p.Sources()...)
	}
	ignored, err := s.repo.Ignored(ctx, folders)
	if err != nil {
		return failed // it is the first error that counts
	}
	text := failed.Error() + "\n" + operr.DetailOf(failed)
	var lacks []string
	for _, name := range ignored {
		file, below := strings.CutPrefix(name, strings.TrimSuffix(s.repo.Prefix+"/", "/")+"/")
		if s.repo.Prefix == "" {
			file, below = name, true
		}
		if !below || s.stays(name) || path.Ext(file) == ".pyc" || strings.Contains(file, ".egg-info/") {
			continue
		}
		if _, err := os.Lstat(filepath.Join(root, filepath.FromSlash(file))); err == nil {
			continue
		}
		if named := mentioned(text, file, folders); named != "" && !slices.Contains(lacks, named) {
			lacks = append(lacks, named)
		}
	}
	if len(lacks) == 0 {
		return failed
	}
	return operr.New(`commit it; or have the build make it; or, for builds and tests on this machine, name it below [tool.release]: include = ["`+lacks[0]+`"]`,
		"%w: %s is in the work tree, but git ignores it, and a build sees what is committed, changed or new", failed, strings.Join(lacks, ", ")).WithDetail(operr.DetailOf(failed))
}

// mentioned is the file, or the folder that it is in, whose absence a text speaks of; "" for none. It may be named as a path, from
// the package's folder too, or as a module.
func mentioned(text, file string, folders []string) string {
	for name := file; name != "." && !slices.Contains(folders, name); name = path.Dir(name) {
		for _, said := range spellings(name, folders) {
			if isSaid(text, said) {
				return name
			}
		}
	}
	return ""
}

// spellings are the ways in which a build may name a path.
func spellings(name string, folders []string) (all []string) {
	all = append(all, name)
	for _, dir := range folders {
		if below, ok := strings.CutPrefix(name, dir+"/"); ok {
			all = append(all, below)
		}
	}
	if base := path.Base(name); strings.Contains(base, ".") && base != "__init__.py" {
		all = append(all, base)
	}
	if module, ok := strings.CutSuffix(name, ".py"); ok {
		parts := strings.Split(strings.TrimSuffix(module, "/__init__"), "/")
		for i := range len(parts) - 1 {
			all = append(all, strings.Join(parts[i:], "."))
		}
	}
	return all
}

// isSaid reports whether a text has a name as a word of its own: not as a part of a longer name.
func isSaid(text, name string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(name)
		if (start == 0 || !inName(text[start-1])) && (end == len(text) || !inName(text[end])) {
			return true
		}
		from = start + 1
	}
}

// inName says whether a byte is one of a name. A path may have others in front of it.
func inName(b byte) bool {
	return b == '_' || b == '-' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// isPacked reports whether an archive has the file, in a folder of the same name.
func isPacked(archives []string, file string) (bool, error) {
	want := "/" + path.Join(path.Base(path.Dir(file)), path.Base(file))
	for _, archive := range archives {
		a, err := condapkg.Open(archive)
		if err != nil {
			return false, err
		}
		files, err := a.Files()
		if err = errors.Join(err, a.Close()); err != nil {
			return false, err
		}
		if slices.ContainsFunc(files, func(f string) bool { return strings.HasSuffix("/"+f, want) }) {
			return true, nil
		}
	}
	return false, nil
}
