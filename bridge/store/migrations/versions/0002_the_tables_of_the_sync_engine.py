"""The tables of the sync engine"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    op.create_table('rule',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.Text(), nullable=False, comment='its name in the configuration'),
    sa.Column('target', sa.Text(), nullable=False, comment='resource, connection and remote calendar'),
    sa.Column('origin', sa.Text(), nullable=False, comment='site.rule: the mark on everything that it writes upstream'),
    sa.Column('calendar', sa.Text(), nullable=True, comment='id of the remote calendar, once it was found'),
    sa.Column('collection_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('pushes', sa.Boolean(), nullable=False, comment='it wants to hear of changes here'),
    sa.Column('active', sa.Boolean(), nullable=False, comment='it stands in the configuration'),
    sa.Column('left_over_at', sa.BigInteger(), nullable=True, comment='since when it does not'),
    sa.Column('paused', sa.Boolean(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False, comment='of its options'),
    sa.Column('adopted_at', sa.BigInteger(), nullable=True, comment='when its first pass was done'),
    sa.Column('due_at', sa.BigInteger(), nullable=False),
    sa.Column('wanted_at', sa.BigInteger(), nullable=True, comment='somebody asks for a pass earlier than due_at'),
    sa.Column('not_before', sa.BigInteger(), nullable=True, comment='until then it leaves the upstream alone'),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('last_started_at', sa.BigInteger(), nullable=True),
    sa.Column('last_succeeded_at', sa.BigInteger(), nullable=True),
    sa.Column('last_full_at', sa.BigInteger(), nullable=True, comment='when everything was last compared; NULL: it has to be'),
    sa.Column('lease_owner', sa.Text(), nullable=True),
    sa.Column('lease_until', sa.BigInteger(), nullable=True),
    sa.Column('lease_void', sa.Boolean(), nullable=False, comment='the pass that holds the lease may write nothing more'),
    sa.Column('problem_code', sa.Text(), nullable=True),
    sa.Column('problem_sentence', sa.Text(), nullable=True),
    sa.Column('problem_remedy', sa.Text(), nullable=True),
    sa.Column('problem_since', sa.BigInteger(), nullable=True),
    sa.Column('cursor', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['collection_id'], ['collection.id'], name=op.f('fk_rule_collection_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rule')),
    sa.UniqueConstraint('key', 'target', name=op.f('uq_rule_key_target')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('rule', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rule_collection_id'), ['collection_id'], unique=False)

    op.create_table('conflict',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('rule_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('uid', sa.Text(), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('lost_side', sa.String(length=5), nullable=False),
    sa.Column('lost', sa.String(length=32), nullable=False),
    sa.Column('kept', sa.String(length=32), nullable=False),
    sa.Column('properties', sa.Text(), nullable=False, comment='those in which the two differ, one a line'),
    sa.Column('state', sa.String(length=9), nullable=False, comment='open | swapped | dismissed'),
    sa.ForeignKeyConstraint(['kept'], ['body.etag'], name=op.f('fk_conflict_kept')),
    sa.ForeignKeyConstraint(['lost'], ['body.etag'], name=op.f('fk_conflict_lost')),
    sa.ForeignKeyConstraint(['rule_id'], ['rule.id'], name=op.f('fk_conflict_rule_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_conflict')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('conflict', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_conflict_kept'), ['kept'], unique=False)
        batch_op.create_index(batch_op.f('ix_conflict_lost'), ['lost'], unique=False)
        batch_op.create_index(batch_op.f('ix_conflict_rule_id_state'), ['rule_id', 'state'], unique=False)

    op.create_table('held',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('rule_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('side', sa.String(length=5), nullable=False, comment='from where it would be deleted: here | there'),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False, comment='how many objects stood on that side'),
    sa.Column('state', sa.String(length=8), nullable=False, comment='waiting | approved | refused'),
    sa.Column('decided_at', sa.BigInteger(), nullable=True),
    sa.Column('decided_by', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['rule_id'], ['rule.id'], name=op.f('fk_held_rule_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_held')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('held', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_held_rule_id_state'), ['rule_id', 'state'], unique=False)

    op.create_table('intent',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('rule_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('side', sa.String(length=5), nullable=False, comment='here | there'),
    sa.Column('key', sa.Text(), nullable=False, comment='UID here, remote id there'),
    sa.Column('noted_at', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False, comment='raised each time that it is noted again'),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('not_before', sa.BigInteger(), nullable=False),
    sa.Column('hint', sa.String(length=8), nullable=False, comment='changed | gone | absent, or empty'),
    sa.ForeignKeyConstraint(['rule_id'], ['rule.id'], name=op.f('fk_intent_rule_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_intent')),
    sa.UniqueConstraint('key', 'rule_id', 'side', name=op.f('uq_intent_key_rule_id_side')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('intent', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_intent_rule_id_not_before'), ['rule_id', 'not_before'], unique=False)

    op.create_table('link',
    sa.Column('rule_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('uid', sa.Text(), nullable=False),
    sa.Column('remote_id', sa.Text(), nullable=True, comment='NULL while it is being created there'),
    sa.Column('remote_etag', sa.Text(), nullable=True),
    sa.Column('base_here', sa.String(length=32), nullable=True, comment='ours when both sides last agreed'),
    sa.Column('base_there', sa.String(length=32), nullable=True, comment='theirs when both sides last agreed'),
    sa.Column('view', sa.Text(), nullable=False, comment='fingerprint of the projection that counted'),
    sa.Column('made', sa.String(length=7), nullable=False, comment='here | there | adopted'),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('written_at', sa.BigInteger(), nullable=True, comment='when we last wrote there'),
    sa.Column('streak', sa.Integer(), nullable=False, comment='passes in a row that had to write it'),
    sa.Column('wrote', sa.Text(), nullable=False, comment='digest of what was last written'),
    sa.ForeignKeyConstraint(['base_here'], ['body.etag'], name=op.f('fk_link_base_here')),
    sa.ForeignKeyConstraint(['base_there'], ['body.etag'], name=op.f('fk_link_base_there')),
    sa.ForeignKeyConstraint(['rule_id'], ['rule.id'], name=op.f('fk_link_rule_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('rule_id', 'uid', name=op.f('pk_link')),
    sa.UniqueConstraint('remote_id', 'rule_id', name=op.f('uq_link_remote_id_rule_id')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_link_base_here'), ['base_here'], unique=False)
        batch_op.create_index(batch_op.f('ix_link_base_there'), ['base_there'], unique=False)

    op.create_table('parked',
    sa.Column('rule_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('side', sa.String(length=5), nullable=False, comment='on which side it stands: here | there'),
    sa.Column('key', sa.Text(), nullable=False, comment='UID here, remote id there'),
    sa.Column('uid', sa.Text(), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('remedy', sa.Text(), nullable=False),
    sa.Column('property', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['rule_id'], ['rule.id'], name=op.f('fk_parked_rule_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('rule_id', 'side', 'key', name=op.f('pk_parked')),
    sqlite_with_rowid=False
    )
    op.create_table('run',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('rule_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('moves', sa.Text(), nullable=False, comment='JSON: how many of each move'),
    sa.Column('requests', sa.Integer(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['rule_id'], ['rule.id'], name=op.f('fk_run_rule_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_run')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('run', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_run_rule_id_id'), ['rule_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_run_started_at'), ['started_at'], unique=False)

    op.create_table('held_item',
    sa.Column('held_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('uid', sa.Text(), nullable=False),
    sa.Column('remote_id', sa.Text(), nullable=True),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['held_id'], ['held.id'], name=op.f('fk_held_item_held_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('held_id', 'uid', name=op.f('pk_held_item')),
    sqlite_with_rowid=False
    )
    op.create_table('run_item',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('rule_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('move', sa.Text(), nullable=False),
    sa.Column('side', sa.String(length=5), nullable=False, comment='where something changed: here | there'),
    sa.Column('uid', sa.Text(), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('deletes', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['rule_id'], ['rule.id'], name=op.f('fk_run_item_rule_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_run_item_run_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_run_item'))
    )
    with op.batch_alter_table('run_item', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_run_item_rule_id_deletes_at'), ['rule_id', 'deletes', 'at'], unique=False)
        batch_op.create_index(batch_op.f('ix_run_item_run_id'), ['run_id'], unique=False)

    with op.batch_alter_table('journal', schema=None) as batch_op:
        batch_op.create_index('ix_journal_via', ['via'], unique=False, sqlite_where=sa.text("who LIKE 'rule:%'"), postgresql_where=sa.text("who LIKE 'rule:%'"))


def downgrade() -> None:
    with op.batch_alter_table('journal', schema=None) as batch_op:
        batch_op.drop_index('ix_journal_via', sqlite_where=sa.text("who LIKE 'rule:%'"), postgresql_where=sa.text("who LIKE 'rule:%'"))

    with op.batch_alter_table('run_item', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_run_item_run_id'))
        batch_op.drop_index(batch_op.f('ix_run_item_rule_id_deletes_at'))

    op.drop_table('run_item')
    op.drop_table('held_item')
    with op.batch_alter_table('run', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_run_started_at'))
        batch_op.drop_index(batch_op.f('ix_run_rule_id_id'))

    op.drop_table('run')
    op.drop_table('parked')
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_link_base_there'))
        batch_op.drop_index(batch_op.f('ix_link_base_here'))

    op.drop_table('link')
    with op.batch_alter_table('intent', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_intent_rule_id_not_before'))

    op.drop_table('intent')
    with op.batch_alter_table('held', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_held_rule_id_state'))

    op.drop_table('held')
    with op.batch_alter_table('conflict', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_conflict_rule_id_state'))
        batch_op.drop_index(batch_op.f('ix_conflict_lost'))
        batch_op.drop_index(batch_op.f('ix_conflict_kept'))

    op.drop_table('conflict')
    with op.batch_alter_table('rule', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_rule_collection_id'))

    op.drop_table('rule')
