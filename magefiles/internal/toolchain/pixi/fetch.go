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

// Limits on the size of a download and of the program in it. In pixi 0.77, these are 35 and 90 MB.
const (
	mostArchive = 256 << 20
	mostProgram = 512 << 20
)

// patience is the timeout for receiving more bytes of a download.
const patience = 2 * time.Minute

// Source determines where to fetch pixi from, and where to store it.
type Source struct {
	Downloads string       // defaults to DefaultDownloads
	Client    *http.Client // nil means a new client that uses the proxy variables of the environment
	Cache     string       // private folder; the program is stored in a folder named after the version and digest
	Platform  string       // conda subdir of this machine: "linux-64"
}

// Fetch returns the path of the pinned pixi, and downloads it if it is not cached. An archive is unpacked only if its sha256 matches the pin, and
// the program is installed atomically. Because others may write to the cache, Fetch keeps the archive and each time checks it against the pin,
// and the program against the archive.
func Fetch(ctx context.Context, s Source) (string, error) {
	pin, ok := pins[s.Platform]
	if !ok {
		return "", operr.New("install pixi by hand, or work without pixi (PIPELINE_TOOLCHAIN=embedded)",
			"fetching pixi %s: no archive of this version is pinned for the platform %s", Version, s.Platform)
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
		return "", operr.New("check the network and the proxy settings, install pixi by hand, or work without pixi (PIPELINE_TOOLCHAIN=embedded)",
			"fetching %s: %w", address, err)
	}
	defer os.Remove(archive.path)
	if archive.sha256 != pin.SHA256 {
		return "", operr.New("do not use the file from this address: a proxy may have answered instead of the server",
			"fetching %s: expected the pinned sha256 %[3]s, found %[2]s", address, archive.sha256, pin.SHA256)
	}
	if err := unpack(archive.path, program); err != nil {
		return "", fmt.Errorf("unpacking %s: %w", address, err)
	}
	return program, os.Rename(archive.path, kept)
}

// digestOf returns the sha256 of a file as hex.
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

// openRegular opens a regular file. It returns an error for a symlink or a pipe, which would block.
func openRegular(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fs.ErrInvalid)
	}
	return os.Open(path)
}

// `holds` reports whether the program is identical to the one in the archive.
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
		if n < len(one) { // both files ended
			return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF), nil
		}
	}
}

type downloaded struct{ path, sha256 string }

// download saves a URL to a temporary file in `folder`.
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
		return d, w.Explain(err)
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
		err = fmt.Errorf("the file is larger than the limit of %d bytes", int64(mostArchive))
	}
	if err != nil {
		os.Remove(f.Name())
		return d, err
	}
	return downloaded{path: f.Name(), sha256: hex.EncodeToString(digest.Sum(nil))}, nil
}

// unpack extracts pixi, which must be the only file in the archive.
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
		return fmt.Errorf("expected the program pixi in the archive, found %q (%d bytes)", h.Name, h.Size)
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
		return fmt.Errorf("expected only the program pixi in the archive, found also %q", extra.Name)
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return install(temp, program)
}

// install moves a complete temporary file to the program's path.
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
