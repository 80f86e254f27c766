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

// File is the default name of the changelog in the workspace root.
const File = "CHANGELOG.md"

// `names` lists the file names of Markdown changelogs. `foreign` lists the extensions of other formats, which are reported but not written.
var (
	names   = []string{File, "HISTORY.md", "CHANGES.md"}
	foreign = []string{".rst", ".txt", ".adoc", ""}
)

// Place is the location of a folder's changelog.
type Place struct {
	File  string // relative to the folder, with slashes
	There bool

	// Foreign is a changelog in a format other than Markdown. It is "" if there is also a Markdown changelog.
	Foreign string
}

// Find returns the changelog of a folder: the configured file, CHANGELOG.md, or a file with another common name, in this order. It returns an
// error if there is no CHANGELOG.md and two files have other common names. If there is no changelog, it returns File.
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
		return Place{File: File, There: true}, nil // possibly with different case, which Read rejects
	}
	switch {
	case len(found) > 1:
		return Place{}, operr.New("name one of these files in [tool.release], for example `changelog = \""+found[0]+"\"`", "there are two changelogs, %s and %s; nothing was changed", found[0], found[1])
	case len(found) == 1:
		return Place{File: found[0], There: true}, nil
	case other != "":
		return Place{File: File, Foreign: other}, nil
	}
	return Place{File: File}, nil
}

// Read returns the contents of a changelog. `there` is false if the file does not exist. Read returns an error if the file cannot safely be replaced.
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

// checkFile returns an error if the changelog is a symlink or a folder, or if another file's name differs only in case, because one of the two
// would be lost on a case-insensitive file system.
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
			return operr.New("run `git mv "+operr.Word(dir+e.Name())+" "+operr.Word(file)+"`; if both files exist, keep one of the two",
				"there is a file %s, whose name differs from the changelog %s only in upper and lower case", e.Name(), file)
		case e.Name() != base || e.Type().IsRegular():
		case e.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(filepath.Join(root, filepath.FromSlash(file)))
			from := path.Join(dir, filepath.ToSlash(target))
			next := "replace the link with the file: run `git rm " + operr.Word(file) + "`, and then `git mv " + operr.Word(from) + " " + operr.Word(file) + "`"
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil {
				next = "remove the link, whose target does not exist: `git rm " + operr.Word(file) + "`"
			} else if filepath.IsAbs(target) || !filepath.IsLocal(filepath.FromSlash(from)) { // the link's target may not be meant for publication
				next = "replace the link with a new file: first remove the link with `git rm " + operr.Word(file) + "`"
			}
			return operr.New(next, "%s is a link to %s, but the changelog must be a file: a release does not write through a link", file, target)
		default:
			return operr.New("rename this folder or special file", "%s is not a regular file, but a release writes the changelog to this path", file)
		}
	}
	return nil
}
