#!/bin/bash
# Para container status agent

STATUS_DIR="/workspace/.para/state/docker/${PARA_SESSION_NAME}"
STATUS_FILE="${STATUS_DIR}/status.json"
COMMAND_FILE="${STATUS_DIR}/commands.json"

# Ensure directories exist
mkdir -p "${STATUS_DIR}/logs"

# Update status function
update_status() {
    local phase="$1"
    local message="$2"
    local progress_current="${3:-0}"
    local progress_total="${4:-100}"
    
    cat > "$STATUS_FILE" <<EOF
{
  "timestamp": "$(date -u +%Y-%m-%dT%H:%M:%SZ)",
  "status": "running",
  "health": "healthy",
  "phase": "$phase",
  "progress": {
    "current": $progress_current,
    "total": $progress_total,
    "message": "$message"
  }
}
EOF
}

# Main loop
while true; do
    # Check for new commands
    if [ -f "$COMMAND_FILE" ]; then
        # Process commands (simplified)
        jq -r '.commands[] | select(.id as $id | .processed | index($id) | not)' "$COMMAND_FILE" | while read -r cmd; do
            # Execute command and update status
            echo "Processing command: $cmd"
        done
    fi
    
    # Update heartbeat
    update_status "idle" "Waiting for commands..." 0 0
    
    sleep 5
done
