// Generate makes the table of package condapypi:
//
//	go run ./magefiles/internal/condapypi/generate compressed_mapping.json
//
// The file is the one that condapypi.Source names; one of another digest is refused. It writes table.txt.gz in the folder of
// the package, which is ./magefiles/internal/condapypi unless -out says otherwise.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"

	"github.com/foopack/foopack/magefiles/internal/condapypi"
)

func main() {
	out := flag.String("out", "magefiles/internal/condapypi/table.txt.gz", "the file to write")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "name one file: the "+condapypi.Source.Path+" of "+condapypi.Source.Repository+" at "+condapypi.Source.Commit)
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != condapypi.Source.SHA256 {
		return fmt.Errorf("%s has the sha256 %s, and the source is to have %s: take that of commit %s, or write a newer one into condapypi.Source",
			from, got, condapypi.Source.SHA256, condapypi.Source.Commit)
	}
	text, err := table(data)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	compressed, err := compress(text)
	if err != nil {
		return err
	}
	return os.WriteFile(to, compressed, 0o644)
}

// compress is without time and name, so that one source gives one file.
func compress(text string) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
