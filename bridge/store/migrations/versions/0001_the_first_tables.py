"""The first tables"""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None


def upgrade() -> None:
    op.create_table('app_password',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user', sa.Text(), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('beginning', sa.String(length=4), nullable=False, comment='of the password, by which the one to compare is found'),
    sa.Column('hash', sa.Text(), nullable=False, comment='Argon2id'),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_app_password')),
    sa.UniqueConstraint('user', 'beginning', name=op.f('uq_app_password_user_beginning')),
    sa.UniqueConstraint('user', 'label', name=op.f('uq_app_password_user_label'))
    )
    op.create_table('body',
    sa.Column('etag', sa.String(length=32), nullable=False, comment='content hash, the ETag of every object with these bytes'),
    sa.Column('raw', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('etag', name=op.f('pk_body')),
    comment='Every version of every object, once; calendar_object and journal point here.'
    )
    op.create_table('collection',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False, comment='resource | personal'),
    sa.Column('owner', sa.Text(), nullable=False, comment='key of the account, or name of the user'),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('incarnation', sa.String(length=16), nullable=False, comment='new when the collection is rebuilt or restored'),
    sa.Column('revision', sa.BigInteger(), nullable=False),
    sa.Column('floor', sa.BigInteger(), nullable=False, comment='older sync tokens are refused: tombstones below are gone'),
    sa.Column('changed_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_collection')),
    sa.UniqueConstraint('kind', 'owner', 'key', name=op.f('uq_collection_kind_owner_key'))
    )
    op.create_table('feed',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False, comment="raised to revoke the feed's URL"),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_feed'))
    )
    op.create_table('feed_fetch',
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('client', sa.Text(), nullable=False, comment='family of the User-Agent'),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('interval', sa.BigInteger(), nullable=True, comment='microseconds between the last two recorded fetches'),
    sa.Column('times', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('feed', 'client', name=op.f('pk_feed_fetch'))
    )
    op.create_table('sealed',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('token', sa.LargeBinary(), nullable=False),
    sa.Column('changed_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_sealed'))
    )
    op.create_table('calendar_object',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('scope', sa.Text(), nullable=False, comment='the account, or the personal collection, within which it is shared'),
    sa.Column('uid', sa.Text(), nullable=False),
    sa.Column('component', sa.String(length=9), nullable=False),
    sa.Column('etag', sa.String(length=32), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('recurring', sa.Boolean(), nullable=False),
    sa.Column('floats', sa.Boolean(), nullable=False, comment='when it is depends on the zone of the calendar'),
    sa.Column('feed_ready', sa.Boolean(), nullable=False),
    sa.Column('tzids', sa.Text(), nullable=False, comment='the TZIDs that it names, one a line'),
    sa.ForeignKeyConstraint(['etag'], ['body.etag'], name=op.f('fk_calendar_object_etag')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calendar_object'))
    )
    with op.batch_alter_table('calendar_object', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_calendar_object_etag'), ['etag'], unique=False)
        batch_op.create_index(batch_op.f('ix_calendar_object_scope_uid'), ['scope', 'uid'], unique=False)

    op.create_table('collection_property',
    sa.Column('collection_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user', sa.Text(), nullable=False, comment="whose view of the collection; empty: everybody's"),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['collection_id'], ['collection.id'], name=op.f('fk_collection_property_collection_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('collection_id', 'user', 'name', name=op.f('pk_collection_property'))
    )
    op.create_table('journal',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('who', sa.Text(), nullable=False, comment='user:NAME, cli, import, undo'),
    sa.Column('via', sa.Text(), nullable=False, comment='the client program, as it names itself'),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('href', sa.Text(), nullable=False),
    sa.Column('uid', sa.Text(), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('action', sa.String(length=8), nullable=False, comment='create | replace | remove'),
    sa.Column('before', sa.String(length=32), nullable=True),
    sa.Column('after', sa.String(length=32), nullable=True),
    sa.Column('incarnation', sa.String(length=16), nullable=False),
    sa.Column('revision', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['after'], ['body.etag'], name=op.f('fk_journal_after')),
    sa.ForeignKeyConstraint(['before'], ['body.etag'], name=op.f('fk_journal_before')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_journal')),
    comment='Kept when its collection is deleted, hence no foreign key to it.'
    )
    with op.batch_alter_table('journal', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_journal_after'), ['after'], unique=False)
        batch_op.create_index(batch_op.f('ix_journal_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_journal_before'), ['before'], unique=False)
        batch_op.create_index(batch_op.f('ix_journal_kind_owner_key_revision'), ['kind', 'owner', 'key', 'revision'], unique=False)
        batch_op.create_index(batch_op.f('ix_journal_uid'), ['uid'], unique=False)

    op.create_table('tombstone',
    sa.Column('collection_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('href', sa.Text(), nullable=False),
    sa.Column('revision', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['collection_id'], ['collection.id'], name=op.f('fk_tombstone_collection_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('collection_id', 'href', name=op.f('pk_tombstone')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('tombstone', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tombstone_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_tombstone_collection_id_revision'), ['collection_id', 'revision'], unique=False)

    op.create_table('placement',
    sa.Column('collection_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('href', sa.Text(), nullable=False),
    sa.Column('object_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('uid', sa.Text(), nullable=False),
    sa.Column('etag', sa.String(length=32), nullable=False),
    sa.Column('component', sa.String(length=9), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('first', sa.BigInteger(), nullable=False),
    sa.Column('last', sa.BigInteger(), nullable=False),
    sa.Column('prolonged', sa.Boolean(), nullable=False, comment='its span is longer than SHORT: series, long absences'),
    sa.Column('revision', sa.BigInteger(), nullable=False, comment='of the collection, when this last changed'),
    sa.Column('changed_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['collection_id'], ['collection.id'], name=op.f('fk_placement_collection_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['object_id'], ['calendar_object.id'], name=op.f('fk_placement_object_id')),
    sa.PrimaryKeyConstraint('collection_id', 'href', name=op.f('pk_placement')),
    sa.UniqueConstraint('collection_id', 'revision', name=op.f('uq_placement_collection_id_revision')),
    sa.UniqueConstraint('collection_id', 'uid', name=op.f('uq_placement_collection_id_uid')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('placement', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_placement_collection_id_prolonged_first'), ['collection_id', 'prolonged', 'first'], unique=False)
        batch_op.create_index(batch_op.f('ix_placement_collection_id_prolonged_last_first'), ['collection_id', 'prolonged', 'last', 'first'], unique=False)
        batch_op.create_index(batch_op.f('ix_placement_object_id'), ['object_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('placement', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_placement_object_id'))
        batch_op.drop_index(batch_op.f('ix_placement_collection_id_prolonged_last_first'))
        batch_op.drop_index(batch_op.f('ix_placement_collection_id_prolonged_first'))

    op.drop_table('placement')
    with op.batch_alter_table('tombstone', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tombstone_collection_id_revision'))
        batch_op.drop_index(batch_op.f('ix_tombstone_at'))

    op.drop_table('tombstone')
    with op.batch_alter_table('journal', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_journal_uid'))
        batch_op.drop_index(batch_op.f('ix_journal_kind_owner_key_revision'))
        batch_op.drop_index(batch_op.f('ix_journal_before'))
        batch_op.drop_index(batch_op.f('ix_journal_at'))
        batch_op.drop_index(batch_op.f('ix_journal_after'))

    op.drop_table('journal')
    op.drop_table('collection_property')
    with op.batch_alter_table('calendar_object', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_calendar_object_scope_uid'))
        batch_op.drop_index(batch_op.f('ix_calendar_object_etag'))

    op.drop_table('calendar_object')
    op.drop_table('sealed')
    op.drop_table('feed_fetch')
    op.drop_table('feed')
    op.drop_table('collection')
    op.drop_table('body')
    op.drop_table('app_password')
