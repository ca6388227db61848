# Formats the log on the first start, with the administrator as the only user, then runs the node: broker and controller in one.
set -eu
if [ ! -e /var/lib/kafka/data/log/meta.properties ]; then
  /opt/kafka/bin/kafka-storage.sh format --cluster-id="$(cat /run/kafka/cluster.id)" --config /run/kafka/server.properties \
    --add-scram "SCRAM-SHA-256=[name=admin,password=$(cat /run/kafka/admin.password)]" >/dev/null
fi
exec /opt/kafka/bin/kafka-server-start.sh /run/kafka/server.properties
