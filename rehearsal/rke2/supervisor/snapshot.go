package supervisor

import (
	"encoding/json"
	"net/http"

	"github.com/sirupsen/logrus"

	"rehearsal/rke2/etcd"
)

// SnapshotRequest of the command line: save and prune take one name, delete any number.
type SnapshotRequest struct {
	Operation string   `json:"operation"`
	Name      []string `json:"name,omitempty"`
	Retention *int     `json:"retention,omitempty"`
}

// SnapshotResult of save, delete, prune (names) and list.
type SnapshotResult struct {
	Created []string        `json:"created,omitempty"`
	Deleted []string        `json:"deleted,omitempty"`
	Items   []etcd.Snapshot `json:"items,omitempty"`
}

func (s *Server) snapshot(w http.ResponseWriter, r *http.Request) {
	var request SnapshotRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&request); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	result, err := s.snapshotOperation(r, request)
	if err != nil {
		logrus.Errorf("Error in etcd-snapshot %s: %v", request.Operation, err)
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	answer(w, result)
}

func (s *Server) snapshotOperation(r *http.Request, request SnapshotRequest) (result SnapshotResult, err error) {
	name := "on-demand"
	if len(request.Name) > 0 && request.Name[0] != "" {
		name = request.Name[0]
	}
	switch request.Operation {
	case "save":
		saved, err := s.Snapshots.Save(r.Context(), name)
		return SnapshotResult{Created: []string{saved.Name}}, err
	case "list":
		result.Items, err = s.Snapshots.List()
	case "delete":
		result.Deleted, err = s.Snapshots.Delete(request.Name)
	case "prune":
		keep := s.SnapshotRetention
		if request.Retention != nil {
			keep = *request.Retention
		}
		result.Deleted, err = s.Snapshots.Prune(name, keep)
	}
	return result, err
}
