package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// `beside` lists files that are ignored because users and operating systems put them into any folder.
var beside = []string{lockFile, ".gitignore", ".gitkeep", ".DS_Store"}

// ofDisks lists folders at the root of a file system, so that a whole disk can be used for channels. They are not valid channel names.
var ofDisks = []string{"lost+found"}

// spooled lists the name patterns of temporary upload files.
var spooled = []string{"upload-*.partial", "put-*.partial", "*.owned"}

// checkOurs returns an error unless the folder is missing, empty, or a folder of channels. This protects other folders, because a store writes to
// each subfolder with a valid channel name, and empties the folder of incoming files.
func checkOurs(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return opening(dir, err)
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.IsDir() && condapkg.KnownSubdir(e.Name()) }) {
		return operr.New("name the parent of this folder, or another folder", "%s is a channel; expected a folder that has channels", dir)
	}
	served := served(dir, entries)
	for _, e := range entries {
		if served && (e.Type().IsRegular() || e.IsDir() && e.Name() != incomingDir && channel.CheckName(e.Name()) != nil) {
			continue // a note or a backup folder beside the channels; the store never touches it
		}
		stranger, err := findForeign(dir, e)
		if err != nil {
			return opening(dir, err)
		}
		if stranger != "" {
			return operr.New("name an empty or a new folder", "%s is neither empty nor a folder of channels: it contains %.200q", dir, stranger)
		}
	}
	return nil
}

// served reports whether the folder contains a channel, and files that show that a store has opened it before.
func served(dir string, entries []fs.DirEntry) bool {
	locked, spool, channels := false, false, false
	for _, e := range entries {
		locked = locked || e.Name() == lockFile
		spool = spool || e.Name() == incomingDir && e.IsDir()
		_, err := os.Stat(filepath.Join(dir, e.Name(), condapkg.NoarchSubdir))
		channels = channels || err == nil && e.IsDir() && channel.CheckName(e.Name()) == nil
	}
	return locked && spool && channels
}

// findForeign returns the path, relative to dir, of a file in entry e that does not belong to a channel. It returns "" if there is no such file.
func findForeign(dir string, e fs.DirEntry) (string, error) {
	name := e.Name()
	switch {
	case e.Type()&fs.ModeSymlink != 0: // a link is never used as a channel or followed
		return "", nil
	case slices.Contains(beside, name) && e.Type().IsRegular():
		return "", nil
	case slices.Contains(ofDisks, name) && e.IsDir():
		return "", nil
	case name == incomingDir && e.IsDir():
		return firstOf(dir, name, func(e fs.DirEntry) bool {
			return e.Type().IsRegular() && slices.ContainsFunc(spooled, func(form string) bool {
				fits, _ := filepath.Match(form, e.Name()) // the error is always nil, because the patterns are valid
				return fits
			})
		})
	case !e.IsDir() || channel.CheckName(name) != nil:
		//lint:ignore nilerr anything with another name belongs to a person
		return name, nil
	}
	inside, err := os.ReadDir(filepath.Join(dir, name))
	inside = slices.DeleteFunc(inside, func(e fs.DirEntry) bool { return e.Type()&fs.ModeSymlink != 0 })
	if err != nil || len(inside) == 0 {
		return "", err
	}
	if !slices.ContainsFunc(inside, func(e fs.DirEntry) bool { return e.IsDir() && condapkg.KnownSubdir(e.Name()) }) {
		return name + "/" + inside[0].Name(), nil
	}
	return firstOf(dir, name, func(e fs.DirEntry) bool { // allow files beside the subdirs, such as an index or a web page of the channel
		return e.Type()&fs.ModeSymlink != 0 || e.IsDir() && condapkg.KnownSubdir(e.Name()) || e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".")
	})
}

// firstOf returns the path of the folder's first entry for which good returns false, or "".
func firstOf(dir, name string, good func(fs.DirEntry) bool) (string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, name))
	for _, e := range entries {
		if !good(e) {
			return name + "/" + e.Name(), err
		}
	}
	return "", err
}
