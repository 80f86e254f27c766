package hoststate

import (
	"context"
	"strconv"
)

// PutSecret writes a secret to a file of mode 0400 in a folder of the container that the script runs in. The value is in no argument and
// in no answer. owner is the number of the user who is to read it.
func (s *State) PutSecret(ctx context.Context, folder, name string, owner int, value []byte) error {
	_, err := s.call(ctx, value, "secret", folder, name, strconv.Itoa(owner), size(value))
	return err
}
