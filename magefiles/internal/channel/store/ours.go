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

// beside are files that people and systems put into any folder, and that say nothing about what it is for.
var beside = []string{lockFile, ".gitignore", ".gitkeep", ".DS_Store"}

// ofDisks are folders that a file system has at its top, so that a disk of its own can be for channels. No channel has such a name.
var ofDisks = []string{"lost+found"}

// spooled are the forms of the names of what is being received.
var spooled = []string{"upload-*.partial", "put-*.partial", "*.owned"}

// checkOurs refuses a folder that is neither empty, nor not there, nor one of channels: a store writes into every folder that
// could be a channel, and empties the one of what is being received.
func checkOurs(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return opening(dir, err)
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.IsDir() && condapkg.KnownSubdir(e.Name()) }) {
		return operr.New("name the folder that it lies in, or another one", "%s is a channel itself, and not a folder of channels", dir)
	}
	served := served(dir, entries)
	for _, e := range entries {
		if served && (e.Type().IsRegular() || e.IsDir() && e.Name() != incomingDir && channel.CheckName(e.Name()) != nil) {
			continue // a note, or the folder of a backup, beside the channels: nothing here touches what cannot be a channel
		}
		stranger, err := findForeign(dir, e)
		if err != nil {
			return opening(dir, err)
		}
		if stranger != "" {
			return operr.New("name an empty folder, or one that is not there yet", "%s is neither empty nor a folder of channels: it has %.200q", dir, stranger)
		}
	}
	return nil
}

// served reports whether a store had the folder open before, and has a channel in it.
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

// findForeign finds what in an entry of a folder does not belong to channels, as a path below the folder; "" for nothing.
func findForeign(dir string, e fs.DirEntry) (string, error) {
	name := e.Name()
	switch {
	case e.Type()&fs.ModeSymlink != 0: // it is not a channel, and is not followed
		return "", nil
	case slices.Contains(beside, name) && e.Type().IsRegular():
		return "", nil
	case slices.Contains(ofDisks, name) && e.IsDir():
		return "", nil
	case name == incomingDir && e.IsDir():
		return firstOf(dir, name, func(e fs.DirEntry) bool {
			return e.Type().IsRegular() && slices.ContainsFunc(spooled, func(form string) bool {
				fits, _ := filepath.Match(form, e.Name()) // the forms are good ones
				return fits
			})
		})
	case !e.IsDir() || channel.CheckName(name) != nil:
		//lint:ignore nilerr what has another name is a person's
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
	return firstOf(dir, name, func(e fs.DirEntry) bool { // an index of the whole channel, or a page about it, may lie there
		return e.Type()&fs.ModeSymlink != 0 || e.IsDir() && condapkg.KnownSubdir(e.Name()) || e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".")
	})
}

// firstOf is the first entry of a folder that is not good.
func firstOf(dir, name string, good func(fs.DirEntry) bool) (string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, name))
	for _, e := range entries {
		if !good(e) {
			return name + "/" + e.Name(), err
		}
	}
	return "", err
}
