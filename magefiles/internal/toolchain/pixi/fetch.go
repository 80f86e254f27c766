package pixi

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// What a download and the program in it may grow to; pixi 0.77 has 35 and 90 MB.
const (
	mostArchive = 256 << 20
	mostProgram = 512 << 20
)

// patience is how long nothing may move while it is downloaded.
const patience = 2 * time.Minute

// Source says where to fetch pixi from, and where to keep it.
type Source struct {
	Downloads string       // "" is DefaultDownloads
	Client    *http.Client // nil is one of its own, which obeys the proxy variables of the environment
	Cache     string       // private folder; the program is kept in one named after version and digest
	Platform  string       // conda subdir of this machine: "linux-64"
}

// Fetch returns the path of the pinned pixi, and downloads it first if it is not in the cache. Nothing is unpacked
// whose sha256 is not the pinned one, and the program appears in the cache in one step. What is in the cache is compared with
// the pin each time, since others write there too: the archive is kept, and the program is what it holds.
func Fetch(ctx context.Context, s Source) (string, error) {
	pin, ok := pins[s.Platform]
	if !ok {
		return "", operr.New("install pixi by hand, or go without it (PIPELINE_TOOLCHAIN=embedded)",
			"fetching pixi %s: no archive of it is pinned for the platform %s", Version, s.Platform)
	}
	return fetch(ctx, s, pin)
}

func fetch(ctx context.Context, s Source, pin Pin) (string, error) {
	folder := filepath.Join(s.Cache, "pixi-"+Version+"-"+pin.SHA256[:16])
	program, kept := filepath.Join(folder, "pixi"), filepath.Join(folder, "pixi.tar.gz")
	if sum, err := digestOf(kept); err == nil && sum == pin.SHA256 {
		if is, err := holds(kept, program); err == nil && is {
			return program, nil
		}
		if err := unpack(kept, program); err != nil {
			return "", fmt.Errorf("unpacking %s: %w", kept, err)
		}
		return program, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	if s.Downloads == "" {
		s.Downloads = DefaultDownloads
	}
	address := pin.address(s.Downloads)
	archive, err := download(ctx, s.Client, address, folder)
	if err != nil {
		return "", operr.New("look at the network and the proxy settings, install pixi by hand, or go without it (PIPELINE_TOOLCHAIN=embedded)",
			"fetching %s: %w", address, err)
	}
	defer os.Remove(archive.path)
	if archive.sha256 != pin.SHA256 {
		return "", operr.New("do not use what this address serves; a proxy may have answered in its place",
			"fetching %s: its sha256 is %s and not the pinned %s", address, archive.sha256, pin.SHA256)
	}
	if err := unpack(archive.path, program); err != nil {
		return "", fmt.Errorf("unpacking %s: %w", address, err)
	}
	return program, os.Rename(archive.path, kept)
}

// digestOf is the sha256 of a file, in hex.
func digestOf(path string) (string, error) {
	f, err := openRegular(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return hex.EncodeToString(sum.Sum(nil)), err
}

// openRegular opens a file that is no link, and no pipe that would be waited for.
func openRegular(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fs.ErrInvalid)
	}
	return os.Open(path)
}

// holds reports whether the program is the one in an archive, byte for byte.
func holds(archive, program string) (bool, error) {
	p, err := openRegular(program)
	if err != nil {
		return false, err
	}
	defer p.Close()
	a, err := os.Open(archive)
	if err != nil {
		return false, err
	}
	defer a.Close()
	z, err := gzip.NewReader(a)
	if err != nil {
		return false, err
	}
	t := tar.NewReader(z)
	if _, err := t.Next(); err != nil {
		return false, err
	}
	one, other := make([]byte, 1<<18), make([]byte, 1<<18)
	for {
		n, err := io.ReadFull(t, one)
		m, _ := io.ReadFull(p, other)
		if !bytes.Equal(one[:n], other[:m]) {
			return false, nil
		}
		if n < len(one) { // the end, of both
			return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF), nil
		}
	}
}

type downloaded struct{ path, sha256 string }

// download saves what an address answers in a temporary file of folder.
func download(ctx context.Context, client *http.Client, address, folder string) (d downloaded, err error) {
	if client == nil {
		client = &http.Client{Transport: httpclient.Transport(), CheckRedirect: httpclient.Follow}
	}
	ctx, w := httpclient.NewWatch(ctx, patience)
	defer w.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return d, err
	}
	res, err := client.Do(req)
	if err != nil {
		return d, w.Lost(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return d, fmt.Errorf("the server answered %s", res.Status)
	}
	f, err := os.CreateTemp(folder, "download-*")
	if err != nil {
		return d, err
	}
	defer f.Close()
	digest := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, digest), io.LimitReader(w.Body(res.Body), mostArchive+1))
	if err == nil && n > mostArchive {
		err = fmt.Errorf("the answer is longer than %d bytes", int64(mostArchive))
	}
	if err != nil {
		os.Remove(f.Name())
		return d, err
	}
	return downloaded{path: f.Name(), sha256: hex.EncodeToString(digest.Sum(nil))}, nil
}

// unpack takes the one file of an archive, pixi, out of it.
func unpack(archive, program string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	t := tar.NewReader(z)
	h, err := t.Next()
	if err != nil {
		return err
	}
	if path.Clean(h.Name) != "pixi" || h.Typeflag != tar.TypeReg || h.Size > mostProgram {
		return fmt.Errorf("the archive holds %q (%d bytes) in place of the program pixi", h.Name, h.Size)
	}
	temp, err := os.CreateTemp(filepath.Dir(program), "pixi-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	defer temp.Close()
	if _, err := io.CopyN(temp, t, h.Size); err != nil {
		return err
	}
	if extra, err := t.Next(); err == nil {
		return fmt.Errorf("the archive holds %q beside the program pixi", extra.Name)
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return install(temp, program)
}

// install makes a complete temporary file the program.
func install(temp *os.File, program string) error {
	if err := temp.Chmod(0o755); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), program)
}
