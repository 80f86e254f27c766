package condapkgtest

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// WriteLarge writes an archive that is enlarged by size bytes of zeros after the payload, in a frame that zstd readers skip. It does not hold them
// in memory.
func (p Package) WriteLarge(t testing.TB, dir string, size uint32) string {
	t.Helper()
	small := p.Bytes(t)
	z, err := zip.NewReader(bytes.NewReader(small), int64(len(small)))
	require.NoError(t, err)
	path := filepath.Join(dir, p.FileName())
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	w := zip.NewWriter(f)
	for _, e := range z.File {
		to, err := w.CreateHeader(&zip.FileHeader{Name: e.Name, Method: zip.Store})
		require.NoError(t, err)
		from, err := e.Open()
		require.NoError(t, err)
		_, err = io.Copy(to, from)
		require.NoError(t, err)
		if strings.HasPrefix(e.Name, "pkg-") {
			_, err = to.Write(binary.LittleEndian.AppendUint32([]byte{0x50, 0x2a, 0x4d, 0x18}, size)) // RFC 8878, 3.1.2
			require.NoError(t, err)
			_, err = io.CopyN(to, zeros{}, int64(size))
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	return path
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
