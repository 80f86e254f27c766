// Generate makes the table of package condapypi:
//
//	go run ./magefiles/internal/condapypi/generate compressed_mapping.json
//
// The file must be the one that condapypi.Source names, with the same digest. Generate writes to the file that -out names, by default
// magefiles/internal/condapypi/table.txt.gz.
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
		return fmt.Errorf("%s differs from the source: expected sha256 %[3]s, found %[2]s; use the file of commit %[4]s, or write the newer source into condapypi.Source",
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

// compress omits the time and the name, so that the output depends only on the text.
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
