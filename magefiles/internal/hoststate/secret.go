package hoststate

import (
	"context"
	"strconv"
)

// PutSecret writes a secret to a file with mode 0400, in a folder of the container in which the script runs. The value does not appear in any
// argument or output. `owner` is the numeric id of the user who may read the file.
func (s *State) PutSecret(ctx context.Context, folder, name string, owner int, value []byte) error {
	_, err := s.call(ctx, value, "secret", folder, name, strconv.Itoa(owner), size(value))
	return err
}
