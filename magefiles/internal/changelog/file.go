package changelog

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// File is where the changelog stands, in the workspace's root, unless there is another one.
const File = "CHANGELOG.md"

// names are those of changelogs that are looked for, and foreign those whose form is not ours: they are named, and not written.
var (
	names   = []string{File, "HISTORY.md", "CHANGES.md"}
	foreign = []string{".rst", ".txt", ".adoc", ""}
)

// Place is which file the changelog of a folder is.
type Place struct {
	File  string // relative to the folder, with slashes
	There bool

	// Foreign is a changelog in another form than Markdown, which is there, and the only one; "" where it is not so.
	Foreign string
}

// Find looks for the changelog of a folder: the one that is configured, or one of a name that people use. A folder that has none gets
// File. It refuses two of them.
func Find(root, configured string) (Place, error) {
	if configured != "" {
		_, err := os.Lstat(filepath.Join(root, filepath.FromSlash(configured)))
		return Place{File: configured, There: err == nil}, nil
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return Place{}, operr.New("make the folder readable", "looking for the changelog: %w", err)
	}
	var found []string
	other := ""
	for _, e := range entries {
		name := e.Name()
		ext := filepath.Ext(name)
		stem := strings.ToUpper(strings.TrimSuffix(name, ext))
		known := func(all string) bool { return stem == strings.TrimSuffix(all, ".md") }
		switch {
		case !slices.ContainsFunc(names, known):
		case strings.EqualFold(ext, ".md"):
			found = append(found, name)
		case slices.Contains(foreign, strings.ToLower(ext)) && e.Type().IsRegular():
			other = name
		}
	}
	if i := slices.IndexFunc(found, func(name string) bool { return strings.EqualFold(name, File) }); i >= 0 {
		return Place{File: File, There: true}, nil // also by another name, which is refused where it is read
	}
	switch {
	case len(found) > 1:
		return Place{}, operr.New("say which one it is: `changelog = \""+found[0]+"\"` in [tool.release]", "there are two changelogs, %s and %s; nothing was changed", found[0], found[1])
	case len(found) == 1:
		return Place{File: found[0], There: true}, nil
	case other != "":
		return Place{File: File, Foreign: other}, nil
	}
	return Place{File: File}, nil
}

// Read returns a changelog of a folder; there is false where it has none. It refuses one that could not be replaced as a file.
func Read(root, file string) (src []byte, there bool, err error) {
	if err := checkFile(root, file); err != nil {
		return nil, false, err
	}
	src, err = beneath.Read(filepath.Join(root, filepath.FromSlash(file)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, operr.New("make the file readable", "reading the changelog: %w", err)
	}
	return src, true, nil
}

// checkFile refuses a changelog that is a link or a folder, or that has a double whose name differs in case only: where file
// systems do not tell them apart, one of the two would be lost.
func checkFile(root, file string) error {
	dir, base := path.Split(file)
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
	if dir != "" && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return operr.New("make the folder readable", "looking for the changelog: %w", err)
	}
	for _, e := range entries {
		switch {
		case e.Name() != base && strings.EqualFold(e.Name(), base):
			return operr.New("`git mv "+operr.Word(dir+e.Name())+" "+operr.Word(file)+"`, or, where both are there, keep one of them",
				"there is a file %s, and the changelog is %s: they differ in case only", e.Name(), file)
		case e.Name() != base || e.Type().IsRegular():
		case e.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(filepath.Join(root, filepath.FromSlash(file)))
			from := path.Join(dir, filepath.ToSlash(target))
			next := "put the file itself in its place: `git rm " + operr.Word(file) + "`, then `git mv " + operr.Word(from) + " " + operr.Word(file) + "`"
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil {
				next = "remove it, for it leads nowhere: `git rm " + operr.Word(file) + "`"
			} else if filepath.IsAbs(target) || !filepath.IsLocal(filepath.FromSlash(from)) { // of a file outside nobody knows whether it may be published
				next = "put a file of your own in its place, after `git rm " + operr.Word(file) + "`"
			}
			return operr.New(next, "%s is a link to %s, and the changelog is not written through a link", File, target)
		default:
			return operr.New("move it away", "%s is not a file, and a release writes its changelog there", file)
		}
	}
	return nil
}
